"""The only writer of players and of their throttle counters: each write one conditional write."""

import time
from contextlib import suppress
from datetime import UTC, datetime

from django.contrib.auth.hashers import check_password, make_password

from accounts.models import Attempts, Player
from dynamodb import conditional
from dynamodb.conditional import ConditionFailed
from dynamodb.errors import StoreUnavailable
from dynamodb.reasons import unavailable

WINDOW_SECONDS = 15 * 60
NAME_LIMIT = 10
ADDRESS_LIMIT = 50


class NameTaken(Exception):
    """Somebody has claimed the name."""


class TooManyAttempts(Exception):
    """Too many wrong passwords for this name or from this address. Another may be tried in ``wait`` seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__("Too many wrong passwords: try again in a quarter of an hour at most.")
        self.wait = wait


def claim(name: str, password: str) -> None:
    """Make ``name`` the player's who knows ``password``. Raises NameTaken, StoreUnavailable."""
    player = Player(Player.key(name), password=make_password(password), joined=datetime.now(UTC).isoformat())
    # Assumes that nobody has the name. Two hashes are equal only if they are the same one: then a repeated request
    # found what its first try had written.
    try:
        conditional.put(player, Player.game_id.does_not_exist())
    except ConditionFailed as exc:
        if exc.item is None or Player.from_raw_data(exc.item).password != player.password:
            raise NameTaken(f"The name {name} is taken: log in if it is yours, or choose another.") from exc


def is_claimed(name: str) -> bool:
    """Raises StoreUnavailable."""
    return _player(name) is not None


def verify(name: str, password: str, *, address: str) -> bool | None:
    """Whether the password is the player's; None where nobody has claimed the name.

    Only wrong passwords count: 10 for a name and 50 from an address in each quarter of an hour, over all servers.
    An attempt is counted before the password is looked at, so that many at once gain nothing, and taken back if the
    password was right. Raises TooManyAttempts, StoreUnavailable.
    """
    player = _player(name)
    if player is None:
        return None
    # The address first: one that is blocked must not go on to use up the attempts of other people's names.
    counters = [("address", address, ADDRESS_LIMIT), ("name", name, NAME_LIMIT)]
    keys = [_count(f"throttle#login#{kind}#{value}", limit) for kind, value, limit in counters]
    right = check_password(password, player.password)
    if right:
        # The name's counter first, which is the smaller. Who is right is let in though it can't be taken back.
        for key in reversed(keys):
            with suppress(StoreUnavailable):
                _take_back(key)
    return right


def _player(name: str) -> Player | None:
    with unavailable():
        try:
            return Player.get(Player.key(name), consistent_read=True)
        except Player.DoesNotExist:
            return None


def _count(prefix: str, limit: int) -> str:
    window, elapsed = divmod(int(time.time()), WINDOW_SECONDS)
    key = f"{prefix}#{window}"
    expiry = Attempts.expires_at.set((window + 2) * WINDOW_SECONDS)
    # Assumes that the limit is not reached; the first attempt of a window makes the counter.
    condition = Attempts.tried.does_not_exist() | (Attempts.tried < limit)
    try:
        conditional.update(Attempts(key), [Attempts.tried.add(1), expiry], condition)
    except ConditionFailed as exc:
        raise TooManyAttempts(WINDOW_SECONDS - elapsed) from exc
    return key


def _take_back(key: str) -> None:
    # Assumes that the counter is still there: TTL may have removed it, and nothing is owed then.
    try:
        conditional.update(Attempts(key), [Attempts.tried.add(-1)], Attempts.tried > 0)
    except ConditionFailed:
        return
