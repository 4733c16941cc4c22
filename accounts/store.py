"""The only module that writes players and throttle counters. Each write is one conditional write."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from unicodedata import category, normalize

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
    """Somebody else already has the name."""


class TooManyAttempts(Exception):
    """Too many wrong passwords for this name or from this address. The next try is allowed in ``wait`` seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__("Too many wrong passwords: try again in a quarter of an hour at most.")
        self.wait = wait


def claim(name: str, password: str) -> None:
    """Create the player ``name`` with this password. Raises NameTaken or StoreUnavailable."""
    player = Player(Player.key(name), password=make_password(opaque(password)), joined=datetime.now(UTC).isoformat())
    # Condition: nobody has the name. Hashes are salted, so an equal hash in the table is our own: botocore retried,
    # and the first try succeeded.
    try:
        conditional.put(player, Player.game_id.does_not_exist())
    except ConditionFailed as exc:
        if exc.item is None or Player.from_raw_data(exc.item).password != player.password:
            raise NameTaken(f"The name {name} is taken: log in if it is yours, or choose another.") from exc


def opaque(password: str) -> str:
    """Return the password in the form that all keyboards share (RFC 8265, section 4.2: OpaqueString)."""
    return normalize("NFC", "".join(" " if category(each) == "Zs" else each for each in password))


def is_claimed(name: str) -> bool:
    """Whether a player has this name. Raises StoreUnavailable."""
    return _player(name) is not None


def verify(name: str, password: str, *, address: str) -> bool | None:
    """Whether the password is right, or None if nobody has the name.

    Wrong passwords are limited to 10 per name and 50 per address in each 15-minute window, over all servers.
    We count an attempt before we check the password, so parallel attempts can't exceed the limit. If the password
    was right, we undo the count. Raises TooManyAttempts or StoreUnavailable.
    """
    player = _player(name)
    if player is None:
        return None
    # Count the address first: a blocked address must not use up the attempts of other people's names.
    counters = [("address", address, ADDRESS_LIMIT), ("name", name, NAME_LIMIT)]
    keys = [_count(f"throttle#login#{kind}#{value}", limit) for kind, value, limit in counters]
    # Older passwords are hashed as they were typed.
    right = any(check_password(form, player.password) for form in dict.fromkeys((opaque(password), password)))
    if right:
        # Undo the name's counter first: its limit is lower. If undoing fails, the login still succeeds.
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
    # Condition: the limit isn't reached. The first attempt of a window creates the counter.
    condition = Attempts.tried.does_not_exist() | (Attempts.tried < limit)
    try:
        conditional.update(Attempts(key), [Attempts.tried.add(1), expiry], condition)
    except ConditionFailed as exc:
        raise TooManyAttempts(WINDOW_SECONDS - elapsed) from exc
    return key


def _take_back(key: str) -> None:
    # Condition: the counter still exists. If TTL has removed it, there's nothing to undo.
    try:
        conditional.update(Attempts(key), [Attempts.tried.add(-1)], Attempts.tried > 0)
    except ConditionFailed:
        return
