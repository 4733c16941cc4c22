"""Giving a player another name in all games: a write each, which can stop, and go on, at any point."""

import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from functools import partial

from accounts import store as players
from accounts.names import is_deleted, is_guest
from games import hints
from games.errors import IllegalMove, NotFound, NotYours, TooManyInvitations, UnreadableGame
from games.match import Status, StoredMatch
from games.rules.computer import NAME as COMPUTER
from games.storage import limits, queries, records, store
from games.storage.conflicts import LostRace

# The most games that one call renames, and the seconds that a request spends on them, to leave time for its page.
MOST = 1000
SECONDS = 1.0
# Longer than any game of a guest's is kept.
LATELY = timedelta(days=31)


def rename(old: str, new: str, now: datetime, *, seconds: float, since: datetime | None = None) -> bool:
    """Rename a player in all games, finished ones too, and have the records counted anew. Return whether that's all.

    If not, call it again. A damaged game keeps the old name, and so does a game between the two. ``since`` is when the
    oldest of the games may have ended. Raises StoreUnavailable.
    """
    if not _change(old, partial(_renamed, old=old, new=new, now=now), seconds):
        return False
    # The opponents are those in the index, so that a call after a crash has their records counted anew, too.
    finished = queries.of_player(new, Status.FINISHED, queries.ALL, since)
    for name in {new, *(entry.other_than(new) for entry in finished)}:
        if name and name != COMPUTER and not is_guest(name):
            records.forget(name)
    return True


def take_along(old: str, new: str, now: datetime) -> bool:
    """Do one request's part of giving ``old``'s games to ``new``. Return whether it's all. Raises StoreUnavailable."""
    if is_deleted(new):
        if players.heir(old) != new:
            return True  # This is an old cookie, and the name is somebody else's by now.
        if not give_up(old, seconds=SECONDS):
            return False
    return rename(old, new, now, seconds=SECONDS, since=now - LATELY if is_guest(old) else None)


def give_up(player: str, *, seconds: float) -> bool:
    """Resign the player's games in progress and withdraw the invitations, both ways. Return whether that's all."""
    return _change(player, partial(_given_up, player=player), seconds, Status.IN_PROGRESS, Status.PENDING)


def _change(player: str, change: Callable[[StoredMatch], bool], seconds: float, *statuses: Status) -> bool:
    """Change the player's games with these statuses, or all, in the given time. Return whether none is left."""
    ends = time.monotonic() + seconds
    entries = [entry for status in statuses or (None,) for entry in queries.of_player(player, status, MOST)]
    game_ids = [entry.game_id for entry in entries]
    changed, read = 0, 0
    for start in range(0, len(game_ids), queries.MOST_AT_ONCE):
        found = queries.games(game_ids[start : start + queries.MOST_AT_ONCE])
        read += len(found)
        for game in filter(None, found.values()):
            # It may be withdrawn or damaged by now, or the new name may have too many invitations.
            with suppress(NotFound, UnreadableGame, TooManyInvitations, NotYours, IllegalMove, LostRace):
                changed += change(game)
            if changed and time.monotonic() > ends:
                return False
    return read == len(game_ids) and (len(game_ids) < MOST or not changed)


def _renamed(game: StoredMatch, *, old: str, new: str, now: datetime) -> bool:
    if old not in game.players or new in game.players:
        return False  # It has been renamed already, or both are in it: nobody can play themselves.
    invites = game.stored_status is Status.PENDING and game.host == old and is_guest(old)
    with limits.one_more(now, host=new, opponent=game.opponent_id) if invites else nullcontext():
        hints.changed(store.rename(game, old=old, new=new))
    return True


def _given_up(game: StoredMatch, *, player: str) -> bool:
    if game.stored_status is Status.PENDING:
        withdraw = store.cancel if game.host == player else store.decline
        try:
            withdraw(game.game_id, player=player)
        except LostRace as exc:  # The other has just accepted it.
            return _given_up(exc.game, player=player)
        hints.withdrawn(game.game_id)
    else:
        hints.changed(store.resign(game, player=player))
    return True
