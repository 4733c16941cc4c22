"""The games in the table: the only writer of them and the only reader."""
