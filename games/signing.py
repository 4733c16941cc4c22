"""What only the site's key can make: the position that a page shows, so that a move is one write without a read; the id
that a form has for a new game, so that sending it twice makes one; a rematch's id, the same for both of its players.
"""

import uuid

from django.core import signing
from django.utils.crypto import salted_hmac

from games.errors import MalformedInput
from games.match import Match, Status

_SALT = "games.position"
_NEW_GAME = "games.new"
# In this order; positions that an earlier version signed lack the last two.
_FIELDS = ("game_id", "host", "opponent_id", "computer", "stored_status", "board", "moves", "o_user", "pace")


def signed(match: Match) -> str:
    """The text for the form's field ``position``. It never goes out of date: the move's condition sees to that."""
    values = [getattr(match, name) for name in _FIELDS]
    return signing.Signer(salt=_SALT).sign_object(values, compress=True)


def unsigned(text: str, *, game_id: str) -> Match:
    """The match that ``signed`` made into the text. Raises MalformedInput unless this site did, for this game."""
    try:
        values = dict(zip(_FIELDS, signing.Signer(salt=_SALT).unsign_object(text), strict=False))
        match = Match(**values | {"stored_status": Status(values["stored_status"])})
    except (signing.BadSignature, KeyError, TypeError, ValueError) as exc:
        raise MalformedInput("This position was not signed by this site: reload the page and move again.") from exc
    if match.game_id != game_id:
        raise MalformedInput("This position is another game's: reload the page and move again.")
    return match


def new_game() -> str:
    """A new game's id, signed, for the form's field ``game``.

    Nobody chooses it: a rematch's id is known to its players, and a game made under it could not be told from it.
    """
    return signing.Signer(salt=_NEW_GAME).sign(str(uuid.uuid4()))


def unsigned_game(text: str) -> str:
    """The id that ``new_game`` made into the text. Raises MalformedInput unless this site did."""
    try:
        return signing.Signer(salt=_NEW_GAME).unsign(text)
    except signing.BadSignature as exc:
        raise MalformedInput("This form's game id is not one: reload the page.") from exc


def rematch_of(game_id: str) -> str:
    """The id of the game that follows: the same for both players, and known to nobody before one of them asks."""
    digest = salted_hmac("games.rematch", game_id, algorithm="sha256").digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
