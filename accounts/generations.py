"""Which sessions are still good, and whom a player has blocked: what a process remembers of the players' items.

Each player's item has a random generation, which their sessions repeat. A new password, "log out everywhere" and the
end of an account start another. Each process reads an item once in CHECK_SECONDS, so it's that late to notice a change.
"""

import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import NamedTuple

from accounts.models import Player
from dynamodb.errors import StoreUnavailable
from dynamodb.reasons import unavailable

CHECK_SECONDS = 300
REMEMBERED = 10_000

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="generation")


class Account(NamedTuple):
    """A player's item. ``is_there``: whether anybody has the name. Old accounts and sessions have no generation."""

    is_there: bool
    generation: str | None
    blocked: frozenset[str]
    read_at: float

    def accepts(self, generation: str | None) -> bool:
        return self.is_there and self.generation == generation


_known: OrderedDict[str, Account] = OrderedDict()
_lock = Lock()


def note(name: str, player: Player | None) -> Account:
    """Remember the player's item as it was just read or written; None if there's none."""
    is_there = bool(player and player.password)
    blocked = frozenset((player and player.blocked) or ())
    account = Account(is_there, player.generation if player else None, blocked, time.monotonic())
    with _lock:
        _known[name] = account
        _known.move_to_end(name)
        if len(_known) > REMEMBERED:
            _known.popitem(last=False)
    return account


def forget(name: str) -> None:
    """Read the player's item again at the next request."""
    _known.pop(name, None)


def of(name: str, *, wait: bool = True) -> Account | None:
    """Return the account, read first if it's due: without ``wait``, in another thread. None if it isn't known yet."""
    account = _known.get(name)
    if account and time.monotonic() - account.read_at < CHECK_SECONDS:
        return account
    if not wait:
        _threads.submit(_read, name)
        return account
    return _read(name) or account


def blocked_by(name: str) -> frozenset[str]:
    """Return the players whom this one has blocked, as far as this process knows. This reads nothing."""
    account = _known.get(name)
    return account.blocked if account else frozenset()


def has_ended(name: str, generation: str | None, *, wait: bool = True) -> bool:
    """Whether the session with this name and generation has ended, as far as this process knows."""
    account = of(name, wait=wait)
    if account is None or account.accepts(generation):
        return False
    # The session may be newer than what we know: another process may have started it.
    account = _read(name, consistent=True)
    return account is not None and not account.accepts(generation)


def _read(name: str, *, consistent: bool = False) -> Account | None:
    with suppress(StoreUnavailable), unavailable():
        return note(name, Player.find(Player.key(name), consistent=consistent))
    return None
