"""Items of the table that belong to people: players and the counters that slow down guessing.

They have none of the index keys, so no index sees them.
"""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tictactoe_site.table import Item


class Player(Item):
    """Somebody who has claimed a name, at the key ``player#<name>``."""

    password = UnicodeAttribute(attr_name="Password")
    joined = UnicodeAttribute(attr_name="Joined")

    @staticmethod
    def key(name: str) -> str:
        return f"player#{name}"


class Attempts(Item):
    """How often a password was tried in one stretch of time, at the key ``throttle#...``; TTL removes it."""

    tried = NumberAttribute(attr_name="Attempts")
    expires_at = NumberAttribute(attr_name="ExpiresAt")
