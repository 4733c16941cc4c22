"""What an item decides already is written down by whoever looks next: nothing here runs by the clock."""

from contextlib import suppress
from datetime import datetime

from dynamodb.errors import StoreUnavailable
from games import hints
from games.errors import NotFound, UnreadableGame
from games.match import StoredMatch
from games.storage import lobby as lobbies
from games.storage import queries, store
from games.storage.lobby import Lobby

# How many games whose time is up a lobby ends at a time.
MOST_ENDED = 5


def game(game_id: str, now: datetime, *, viewer: str) -> StoredMatch:
    """The game as it is, and what its item decides already written down.

    Raises NotFound, UnreadableGame, StoreUnavailable.

    The page can be shown without, so an outage of writes keeps nobody from it.
    """
    found = queries.game(game_id)
    with suppress(StoreUnavailable):
        return written_down(found, now, viewer=viewer)
    return found


def written_down(found: StoredMatch, now: datetime, *, viewer: str) -> StoredMatch:
    """The game after what follows from its item alone was written, whoever looks.

    That the time for a move is up; and, when a player comes by, how a game ended that the AWS example left decided but
    unfinished. Raises StoreUnavailable.
    """
    if found.is_late(now):
        found = store.forfeit(found, now)
        hints.changed(found)
    elif found.needs_settling and viewer in found.players:
        found = store.settle(found, now)
    return found


def without_late(lobby: Lobby, player: str, now: datetime) -> Lobby:
    """The lobby after games in it whose time is up have ended: a few, each being a write; the next lobby ends more."""
    late = [found for found in lobby.playing if found.is_late(now)]
    with suppress(StoreUnavailable):  # The lobby can be shown without.
        for found in late[:MOST_ENDED]:
            with suppress(NotFound, UnreadableGame):  # It is gone, or was damaged, since it was read.
                ended = store.forfeit(found, now)
                hints.changed(ended)
                lobby = lobbies.with_game(lobby, player, ended, now)
    return lobby
