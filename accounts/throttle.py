"""Counters over all servers, which limit how often something may be tried in each 15-minute window."""

import time
from contextlib import suppress

from accounts.models import Attempts
from dynamodb import conditional
from dynamodb.conditional import ConditionFailed
from tictactoe_site.http import Refusal

WINDOW_SECONDS = 15 * 60


def count(what: str, limit: int) -> str:
    """Count one more try of ``what``, and return the counter's key. Raises Refusal or StoreUnavailable."""
    window, elapsed = divmod(int(time.time()), WINDOW_SECONDS)
    key = f"throttle#{what}#{window}"
    expiry = Attempts.expires_at.set((window + 2) * WINDOW_SECONDS)
    # Condition: the limit isn't reached. The first try of a window creates the counter.
    condition = Attempts.tried.does_not_exist() | (Attempts.tried < limit)
    try:
        conditional.update(Attempts(key), [Attempts.tried.add(1), expiry], condition)
    except ConditionFailed as exc:
        raise Refusal("Too many tries. Wait up to 15 minutes.", 429, wait=WINDOW_SECONDS - elapsed) from exc
    return key


def take_back(key: str) -> None:
    """Count one try less. Raises StoreUnavailable."""
    # Condition: the counter still exists. If TTL has removed it, there's nothing to undo.
    with suppress(ConditionFailed):
        conditional.update(Attempts(key), [Attempts.tried.add(-1)], Attempts.tried > 0)
