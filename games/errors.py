"""The errors, by what went wrong, each with one sentence for the user. ``games.middleware`` has their HTTP status."""

from games.rules import IllegalMove as IllegalMove

GONE = "This game isn't here any more: it may have been declined, cancelled, or have expired."


class MalformedInput(ValueError):
    """The request is malformed; it caused no read and no write."""


class AboutPlayers(Exception):
    """A sentence for the user. ``names`` are the players' in it, which a page marks as names."""

    def __init__(self, sentence: str, *names: str | None) -> None:
        super().__init__(sentence)
        self.names = names


class NotYours(AboutPlayers):
    """The player may look at this, but not do it."""


class TooManyInvitations(AboutPlayers):
    """Somebody has reached the limit of invitations without an answer, or of games against the computer."""


class NotFound(AboutPlayers):
    """The table has no such thing: it never existed, or was declined or cancelled, or has expired.

    ``is_error`` is false if the sentence is an answer that the player waits for.
    """

    def __init__(self, sentence: str, *names: str | None, is_error: bool = True) -> None:
        super().__init__(sentence, *names)
        self.is_error = is_error


class UnreadableGame(Exception):
    """The stored item isn't a game this code can show: somebody edited it by hand, or other software wrote it."""
