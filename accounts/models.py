"""The items of accounts: players, and counters of attempts. They have no index key attribute, so no index has them."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from tictactoe_site.table import Item


class Player(Item):
    """A player with an account, at the key ``player#<name>``.

    ``generation`` is in the player's sessions, too: a new one ends the older sessions. A name that was given up has no
    password. Its item names the one that its games go to (``becomes``) and reserves it until TTL removes the item. The
    item of the new name says whom it's for (``former``).
    """

    password = UnicodeAttribute(attr_name="Password", null=True)
    joined = UnicodeAttribute(attr_name="Joined", null=True)
    generation = UnicodeAttribute(attr_name="Generation", null=True)
    blocked: UnicodeSetAttribute = UnicodeSetAttribute(attr_name="Blocked", null=True)
    becomes = UnicodeAttribute(attr_name="Becomes", null=True)
    former = UnicodeAttribute(attr_name="Former", null=True)
    expires_at = NumberAttribute(attr_name="ExpiresAt", null=True)

    @staticmethod
    def key(name: str) -> str:
        return f"player#{name}"


class Attempts(Item):
    """The number of attempts in one time window, at the key ``throttle#...``. TTL removes it."""

    tried = NumberAttribute(attr_name="Attempts")
    expires_at = NumberAttribute(attr_name="ExpiresAt")
