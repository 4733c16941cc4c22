"""Moving a guest's games to the name that the guest has chosen or logged in with."""

import time
from contextlib import nullcontext, suppress
from datetime import datetime

from games import hints
from games.errors import NotFound, TooManyInvitations, UnreadableGame
from games.match import Status, StoredMatch
from games.storage import limits, queries, store

# The most games and seconds that one request spends on this, to leave time for the page itself.
MOST = 1000
SECONDS = 1.0


def take_along(guest: str, player: str, now: datetime) -> bool:
    """Give a guest's running games to the named player. Return whether none is left. Raises StoreUnavailable.

    The next call continues if time runs out. A damaged game stays the guest's.
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
        return False  # It has been moved already, or both are in it: nobody can play themselves.
    invites = game.stored_status is Status.PENDING and game.host == guest
    # It may be withdrawn or damaged by now, or the player may have too many invitations.
    with suppress(NotFound, UnreadableGame, TooManyInvitations):
        with limits.one_more(now, host=player, opponent=game.opponent_id) if invites else nullcontext():
            hints.changed(store.adopt(game, guest=guest, name=player))
        return True
    return False
