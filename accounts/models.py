"""The items of accounts: players, and the counters that limit password guessing.

They have none of the index key attributes, so they're in no index.
"""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tictactoe_site.table import Item


class Player(Item):
    """A player with an account, at the key ``player#<name>``."""

    password = UnicodeAttribute(attr_name="Password")
    joined = UnicodeAttribute(attr_name="Joined")

    @staticmethod
    def key(name: str) -> str:
        return f"player#{name}"


class Attempts(Item):
    """The number of password attempts in one time window, at the key ``throttle#...``. TTL removes it."""

    tried = NumberAttribute(attr_name="Attempts")
    expires_at = NumberAttribute(attr_name="ExpiresAt")
