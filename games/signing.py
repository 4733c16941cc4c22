"""Values that only this site's key can make: signed positions, signed ids of new games, and the ids of rematches."""

import uuid

from django.core import signing
from django.utils.crypto import salted_hmac

from games.errors import MalformedInput
from games.match import Match, Status

_SALT = "games.position"
_NEW_GAME = "games.new"
# In this order. Positions signed by an earlier version lack the last ones.
_FIELDS = (
    *("game_id", "host", "opponent_id", "computer", "stored_status", "board", "moves", "o_user", "pace"),
    *("stored_result", "score"),
)


def signed(match: Match) -> str:
    """Return the field ``position``, which saves a move its read. It never expires: the move's condition checks it."""
    values = [getattr(match, name) for name in _FIELDS]
    return signing.Signer(salt=_SALT).sign_object(values, compress=True)


def unsigned(text: str, *, game_id: str) -> Match:
    """Return the match from a ``signed`` text. Raises MalformedInput if this site didn't sign it for this game."""
    try:
        values = dict(zip(_FIELDS, signing.Signer(salt=_SALT).unsign_object(text), strict=False))
        match = Match(**values | {"stored_status": Status(values["stored_status"])})
    except (signing.BadSignature, KeyError, TypeError, ValueError) as exc:
        raise MalformedInput("This position was not signed by this site: open the game again.") from exc
    if match.game_id != game_id:
        raise MalformedInput("This position is another game's: open the game again.")
    return match


def new_game() -> str:
    """Return a new game's signed id, for the form's field ``game``, so that sending the form twice creates one game."""
    # Users can't choose it: players know their rematch's id, and a game created with it would pass for the rematch.
    return signing.Signer(salt=_NEW_GAME).sign(str(uuid.uuid4()))


def unsigned_game(text: str) -> str:
    """Return the id from a ``new_game`` text. Raises MalformedInput if this site didn't sign it."""
    try:
        return signing.Signer(salt=_NEW_GAME).unsign(text)
    except signing.BadSignature as exc:
        raise MalformedInput("This form's game id is not one: open the page again.") from exc


def rematch_of(game_id: str) -> str:
    """Return the rematch's id: the same for both players, and known to nobody before one of them asks."""
    digest = salted_hmac("games.rematch", game_id, algorithm="sha256").digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
