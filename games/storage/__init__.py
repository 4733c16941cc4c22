"""The only code that reads or writes games in the table."""
