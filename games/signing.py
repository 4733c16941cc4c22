"""What only the site's key can make: the position that a page shows, so that a move is one write without a read, and a
rematch's id, so that two who ask for it at once make one game.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict

from django.core import signing
from django.utils.crypto import salted_hmac

from games.errors import MalformedInput
from games.models import Snapshot, Status

_SALT = "games.position"


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


def rematch_of(game_id: str) -> str:
    """The id of the game that follows: the same for both players, and known to nobody before one of them asks."""
    digest = salted_hmac("games.rematch", game_id, algorithm="sha256").digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
