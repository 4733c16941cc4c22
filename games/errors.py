"""What can go wrong, kept apart: malformed input, an illegal move, a lost race, an unavailable table.

Each carries one sentence for the person who reads it. ``games.middleware`` gives each its HTTP status.
"""

from games.rules import IllegalMove as IllegalMove

GONE = "There is no such game: it may have been declined, cancelled, or have expired."


class MalformedInput(ValueError):
    """The request does not say what it should: nothing was read or written for it."""


class NotYours(Exception):
    """The player may look but not do this."""


class TooManyInvitations(Exception):
    """Somebody has as many invitations without an answer as anybody may have."""


class NotFound(Exception):
    """There is no such thing in the table: it never was, or was declined, cancelled or has expired."""


class UnreadableGame(Exception):
    """The stored item is not a game this code can show: edited by hand, or written by something else."""
