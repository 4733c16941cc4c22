"""The readiness check: can this server use the table? And the thread that gets the table ready."""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from dynamodb import provisioning, reasons, retries, schema
from dynamodb.client import keep_warm, shared_client
from dynamodb.errors import NotAllowed, StoreUnavailable
from dynamodb.items import TableItem, where
from dynamodb.probes import try_actions

logger = logging.getLogger(__name__)

# Anybody can trigger a check. DescribeTable is free, so we always call it. Billed calls are cached this long.
FINE_SECONDS = 30
NOT_FINE_SECONDS = 1
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """The result of a check, in sentences. ``problems`` keep the server from working, ``notes`` don't."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def check() -> Readiness:
    """Return the current problems and notes. Log the problems if they have changed since the last check."""
    found = _examine()
    _news.tell(found.problems)
    return found


def get_ready_in_background() -> None:
    """Run ``get_ready`` in a thread, so that the server can already answer requests. Problems are logged."""
    threading.Thread(target=get_ready, name="get_ready", daemon=True).start()


def get_ready() -> None:
    """Create the table if it doesn't exist, and return once there are no problems. Pauses between attempts grow."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        keep_warm()
        unfinished = creation.attempt()
        with retries.within(retries.REQUEST_SECONDS):
            found = check()
        if not found.problems and not unfinished:
            return
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _examine() -> Readiness:
    try:
        described = provisioning.describe()
    except NotAllowed as exc:
        problems = [f"{exc} Until then, the table's schema can't be checked."]
        return _with_the_rest(problems, [])
    except StoreUnavailable as exc:
        return Readiness((str(exc),))
    if described is None:
        return _with_the_rest([_absent()], [], there=False)
    differences = schema.differences(described)
    problems = schema.status_problems(described) + [str(each) for each in differences if each.breaks]
    notes = [str(each) for each in differences if not each.breaks]
    # A table with another schema belongs to somebody else, so we don't touch it.
    return Readiness(tuple(problems), tuple(notes)) if problems else _with_the_rest([], notes)


def _with_the_rest(problems: list[str], notes: list[str], *, there: bool = True) -> Readiness:
    rest = _rest.latest(there)
    return Readiness((*problems, *rest.problems), (*notes, *rest.notes, *creation.not_set))


def _absent() -> str:
    absent = f"{where()} has no table {TableItem.Meta.table_name}"
    if creation.obstacle:
        return f"{absent}, and the site keeps trying to create it: {creation.obstacle}"
    if creation.underway:
        return f"{absent} yet: the site is creating it."
    return reasons.absent()


def _ask() -> Readiness:
    """Return what DescribeTable can't show: whether IAM allows our actions, and whether TTL removes expired items."""
    try:
        problems = [problem for _, problem in try_actions() if problem]
    except StoreUnavailable as exc:
        return Readiness((str(exc),))
    if problems:
        return Readiness(tuple(problems))
    try:
        return Readiness((), tuple(str(each) for each in schema.ttl_differences(provisioning.time_to_live())))
    except StoreUnavailable as exc:
        return Readiness((), (f"{exc} Until then, the TTL setting can't be checked.",))


class _Kept:
    """A cache of ``_ask``. One thread calls it at a time; the others wait for its result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[Any, bool] | None = None
        self._until = 0.0
        self._found = Readiness()

    def latest(self, there: bool) -> Readiness:
        with self._lock:
            of = (shared_client(), there)  # a new ``bind`` means a new client
            if of != self._of or time.monotonic() >= self._until:
                self._of, self._found = of, _ask()
                self._until = time.monotonic() + (NOT_FINE_SECONDS if self._found.problems else FINE_SECONDS)
            return self._found


class _News:
    """A logger of problems. It logs them when they change, not at every check."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: tuple[str, ...] | None = None

    def tell(self, problems: tuple[str, ...]) -> None:
        with self._lock:
            before, self._told = self._told, problems
        if problems and problems != before:
            logger.error("Not ready: %s", " ".join(problems))
        elif problems != before:
            # After a problem, log this as a warning, so that it shows up beside the problem.
            level = logging.WARNING if before else logging.INFO
            logger.log(level, "Ready: the table %s answers.", TableItem.Meta.table_name)


creation = provisioning.Creation()
_rest = _Kept()
_news = _News()
