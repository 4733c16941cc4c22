"""Getting ready in the background: whether this server can use its table right now, and if not, what to do about it.

A health check and the log say the same, in the same sentences.

DescribeTable tells whether the table answers and has the right schema, and ``probes`` whether this server may use it.
"""

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

# Anybody may ask. DescribeTable is free and made each time; what costs is repeated no sooner than this.
FINE_SECONDS = 30
NOT_FINE_SECONDS = 1
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """``problems`` keep the site from working, ``notes`` do not; both are sentences."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def check() -> Readiness:
    """What is in the way now. Whatever has changed since the last time is logged."""
    found = _examine()
    _news.tell(found.problems)
    return found


def get_ready_in_background() -> None:
    """See to it that the site gets its table, and log what is in the way of that, while it serves."""
    threading.Thread(target=get_ready, name="get_ready", daemon=True).start()


def get_ready() -> None:
    """Make the table if there is none; return once nothing is in the way. The pauses between attempts grow."""
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
        problems = [f"{exc} Until then nobody knows whether it is the right table."]
        return _with_the_rest(problems, [])
    except StoreUnavailable as exc:
        return Readiness((str(exc),))
    if described is None:
        return _with_the_rest([_absent()], [], there=False)
    differences = schema.differences(described)
    problems = schema.status_problems(described) + [str(each) for each in differences if each.breaks]
    notes = [str(each) for each in differences if not each.breaks]
    # A table with another schema is somebody else's: it is left alone.
    return Readiness(tuple(problems), tuple(notes)) if problems else _with_the_rest([], notes)


def _with_the_rest(problems: list[str], notes: list[str], *, there: bool = True) -> Readiness:
    rest = _rest.latest(there)
    return Readiness((*problems, *rest.problems), (*notes, *rest.notes, *creation.not_set))


def _absent() -> str:
    absent = f"There is no table {TableItem.Meta.table_name} at {where()}"
    if creation.obstacle:
        return f"{absent}, and the site goes on trying to make it: {creation.obstacle}"
    if creation.underway:
        return f"{absent} yet: the site is making it."
    return reasons.absent()


def _ask() -> Readiness:
    """What DescribeTable does not tell: may the site do what it does, and does TTL remove what has expired."""
    try:
        problems = [problem for _, problem in try_actions() if problem]
    except StoreUnavailable as exc:
        return Readiness((str(exc),))
    if problems:
        return Readiness(tuple(problems))
    try:
        return Readiness((), tuple(str(each) for each in schema.ttl_differences(provisioning.time_to_live())))
    except StoreUnavailable as exc:
        return Readiness((), (f"{exc} Until then nobody knows whether expired items are removed.",))


class _Kept:
    """What ``_ask`` found of late. One thread asks at a time; those who come meanwhile wait for its answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[Any, bool] | None = None
        self._until = 0.0
        self._found = Readiness()

    def latest(self, there: bool) -> Readiness:
        with self._lock:
            of = (shared_client(), there)  # models that are bound anew have another client
            if of != self._of or time.monotonic() >= self._until:
                self._of, self._found = of, _ask()
                self._until = time.monotonic() + (NOT_FINE_SECONDS if self._found.problems else FINE_SECONDS)
            return self._found


class _News:
    """Logs what is in the way when that changes, and not each time that somebody asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: tuple[str, ...] | None = None

    def tell(self, problems: tuple[str, ...]) -> None:
        with self._lock:
            if problems == self._told:
                return
            before, self._told = self._told, problems
        if problems:
            logger.error("Not ready: %s", " ".join(problems))
        else:
            # After a problem, those who read of it are to read this too.
            logger.log(
                logging.WARNING if before else logging.INFO, "Ready: the table %s answers.", TableItem.Meta.table_name
            )


creation = provisioning.Creation()
_rest = _Kept()
_news = _News()
