"""What only the site's key can make: the position that a page shows, so that a move is one write without a read; the id
that a form has for a new game, so that sending it twice makes one; a rematch's id, the same for both of its players.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict

from django.core import signing
from django.utils.crypto import salted_hmac

from games.errors import MalformedInput
from games.models import Snapshot, Status

_SALT = "games.position"
_NEW_GAME = "games.new"


def signed(snapshot: Snapshot) -> str:
    """The text for the form's field ``position``. It never goes out of date: the move's condition sees to that."""
    fields = asdict(snapshot)
    return signing.Signer(salt=_SALT).sign_object([fields[name] for name in Snapshot.__slots__], compress=True)


def unsigned(text: str, *, game_id: str) -> Snapshot:
    """The snapshot that ``signed`` made into the text. Raises MalformedInput unless this site did, for this game."""
    try:
        fields = signing.Signer(salt=_SALT).unsign_object(text)
        snapshot = Snapshot(**dict(zip(Snapshot.__slots__, fields, strict=False)))
    except (signing.BadSignature, ValueError, TypeError) as exc:
        raise MalformedInput("This position was not signed by this site: reload the page and move again.") from exc
    if snapshot.game_id != game_id:
        raise MalformedInput("This position is another game's: reload the page and move again.")
    return Snapshot(**(asdict(snapshot) | {"status": Status(snapshot.status)}))


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
