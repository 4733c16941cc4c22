"""Writes what is already due (a timeout, a decided game) when somebody views a game: there is no scheduler."""

from contextlib import suppress
from datetime import datetime

from dynamodb.errors import StoreUnavailable
from games import hints
from games.errors import NotFound, UnreadableGame
from games.match import Status, StoredMatch
from games.storage import lobby as lobbies
from games.storage import queries, records, store
from games.storage.lobby import Lobby

# The most games that one lobby view ends; the next view ends more.
MOST_ENDED = 5


def open_game(game_id: str, now: datetime, *, viewer: str) -> StoredMatch:
    """Return the game, and first write what is due, if possible. Raises NotFound, UnreadableGame, StoreUnavailable."""
    found = queries.game(game_id)
    with suppress(StoreUnavailable):
        return write_due(found, now, viewer=viewer)
    return found


def write_due(found: StoredMatch, now: datetime, *, viewer: str) -> StoredMatch:
    """Write what the game's item already implies, and return the resulting game. Raises StoreUnavailable."""
    # A timeout is written whoever looks. What a decided board says of a game that another program left unfinished, or
    # with another result, is written only when one of its players looks.
    if found.is_late(now):
        found = store.forfeit(found, now)
        hints.changed(found)
    elif found.needs_settling and viewer in found.players:
        was_counted = found.stored_status is Status.FINISHED
        found = store.settle(found, now)
        for player in filter(None, found.players if was_counted else ()):
            records.forget(player)
    return found


def end_late(lobby: Lobby, player: str, now: datetime) -> Lobby:
    """End up to MOST_ENDED timed-out games of the lobby, with one write each. Return the updated lobby."""
    late = [found for found in lobby.playing if found.is_late(now)]
    with suppress(StoreUnavailable):  # The lobby can be shown without these writes.
        for found in late[:MOST_ENDED]:
            with suppress(NotFound, UnreadableGame):  # It was removed or damaged after we read it.
                ended = store.forfeit(found, now)
                hints.changed(ended)
                lobby = lobbies.with_game(lobby, player, ended, now)
    return lobby
