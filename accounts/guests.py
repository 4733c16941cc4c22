"""A guest who has claimed a name, or logged in with one, takes the running games along."""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress

from django.http import HttpRequest

from accounts import sessions
from dynamodb.errors import StoreUnavailable
from dynamodb.items import RawItem
from games import limits, queries, store
from games.errors import NotFound, TooManyInvitations, UnreadableGame
from games.live import hints
from games.models import Game, Status

# A request reads so many games at most, and takes this long for them: the lobby after them needs its time, too.
MOST = 1000
SECONDS = 1.0


def take_along(request: HttpRequest, player: str) -> None:
    """The games of the guest that the session's player was, if any are left.

    What fails, or is not reached in time, is tried by the next lobby; a damaged game stays the guest's.
    """
    guest = sessions.was_guest(request)
    if not guest:
        return
    with suppress(StoreUnavailable):
        if _all_came(guest, player):
            sessions.is_guest_no_more(request)


def _all_came(guest: str, player: str) -> bool:
    """Whether none is left. Raises StoreUnavailable."""
    ends = time.monotonic() + SECONDS
    game_ids = [game.game_id for game in queries.running(guest, most=MOST)]
    came, read = 0, 0
    for start in range(0, len(game_ids), queries.MOST_AT_ONCE):
        found = queries.raw_games(game_ids[start : start + queries.MOST_AT_ONCE])
        read += len(found)
        for raw in found.values():
            came += _came(raw, guest, player)
            if came and time.monotonic() > ends:
                return False
    return read == len(game_ids) and (len(game_ids) < MOST or not came)


def _came(raw: RawItem, guest: str, player: str) -> bool:
    # It may have been withdrawn meanwhile, or be damaged; one against oneself stays the guest's, and so does an
    # invitation that would be one too many of the player's.
    with suppress(NotFound, UnreadableGame, TooManyInvitations):
        game = Game.from_raw_data(raw)
        if guest in game.players and player not in game.players:
            invites = game.stored_status is Status.PENDING and game.host_id == guest
            with limits.one_more(host=player, opponent=game.opponent_id) if invites else nullcontext():
                hints.changed(store.adopt(game, guest=guest, name=player))
            return True
    return False
