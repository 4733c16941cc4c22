"""A player gets another name in all games: a guest who has chosen one, or logged in with one."""

import time
from contextlib import nullcontext, suppress
from datetime import datetime

from games import hints
from games.errors import NotFound, TooManyInvitations, UnreadableGame
from games.match import Status, StoredMatch
from games.storage import limits, queries, store

# A request reads so many games at most, and takes this long for them: the page after them needs its time, too.
MOST = 1000
SECONDS = 1.0


def take_along(guest: str, player: str, now: datetime) -> bool:
    """Give a guest's running games to the named player; whether none is left. Raises StoreUnavailable.

    What is not reached in time is left for the next call; a damaged game stays the guest's.
    """
    ends = time.monotonic() + SECONDS
    game_ids = [entry.game_id for entry in queries.running(guest, most=MOST)]
    came, read = 0, 0
    for start in range(0, len(game_ids), queries.MOST_AT_ONCE):
        found = queries.games(game_ids[start : start + queries.MOST_AT_ONCE])
        read += len(found)
        for game in filter(None, found.values()):
            came += _came(game, guest, player, now)
            if came and time.monotonic() > ends:
                return False
    return read == len(game_ids) and (len(game_ids) < MOST or not came)


def _came(game: StoredMatch, guest: str, player: str, now: datetime) -> bool:
    if guest not in game.players or player in game.players:
        return False  # One against oneself stays the guest's.
    invites = game.stored_status is Status.PENDING and game.host == guest
    # It may have been withdrawn meanwhile, or be damaged, and an invitation may be one too many of the player's.
    with suppress(NotFound, UnreadableGame, TooManyInvitations):
        with limits.one_more(now, host=player, opponent=game.opponent_id) if invites else nullcontext():
            hints.changed(store.adopt(game, guest=guest, name=player))
        return True
    return False
