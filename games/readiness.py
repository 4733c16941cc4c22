"""Whether this server can do all that the site needs, right now; and if not, what the operator is to do about it.

``/readyz/``, the log and ``inspect_table`` say the same, in the same sentences.

DescribeTable tells whether the table answers and has the right schema. It does not tell whether the role in use may
read and write, so every action of the running site is tried, in a form that changes nothing: IAM refuses an action
before DynamoDB looks for an item or at a condition. All of it costs 3 write units (a failed condition is billed) and 2
read units at most.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from games import provisioning, reasons, retries, schema, table
from games.errors import NotAllowed, StoreUnavailable
from games.models import HostIndex, OpponentIndex
from games.table import TableItem

logger = logging.getLogger(__name__)

# Anybody may ask /readyz/. DescribeTable is free and made each time; what costs is repeated no sooner than this.
FINE_SECONDS = 30
NOT_FINE_SECONDS = 1
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0

NEVER = {"GameId": {"S": "probe#nothing"}}
# No item, and no lack of one, makes this true.
IMPOSSIBLE = {"ConditionExpression": "attribute_exists(GameId) AND attribute_not_exists(GameId)"}

STATUS_ADVICE = {
    "CREATING": "wait until it is ACTIVE",
    "DELETING": "wait until it is gone: the site then makes a new one",
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": "give DynamoDB its KMS key back, or within 7 days the table is archived",
    "ARCHIVED": "restore it from its backup",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """``problems`` keep the site from working, ``notes`` do not; both are sentences."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that changes nothing, by botocore's name for it, and what does not work where it is refused."""

    method: str
    request: dict[str, Any]
    consequence: str
    index: str = ""

    @property
    def action(self) -> str:
        """As a policy has it: dynamodb:GetItem."""
        return f"dynamodb:{self.method.title().replace('_', '')}"


@dataclass(frozen=True, slots=True)
class Finding:
    """How a probe went: ``problem`` is a sentence, and empty where the action is allowed."""

    probe: Probe
    problem: str


def check() -> Readiness:
    """What is in the way now. Whatever has changed since the last time is logged."""
    found = _examine()
    _news.tell(found.problems)
    return found


def try_actions() -> list[Finding]:
    """Each action that the running site takes, and how it went. Raises StoreUnavailable, as in an outage."""
    return [Finding(probe, _try(probe)) for probe in probes()]


def probes() -> list[Probe]:
    name = TableItem.Meta.table_name
    one = {"TableName": name, "Key": NEVER}
    many = {"RequestItems": {name: {"Keys": [NEVER]}}}
    return [
        Probe("get_item", one, "no game can be opened and nobody can log in"),
        Probe("batch_get_item", many, "games in progress can't be listed or followed"),
        Probe("put_item", {"TableName": name, "Item": NEVER} | IMPOSSIBLE, "nobody can sign up or start a game"),
        Probe("update_item", one | IMPOSSIBLE, "no move can be made"),
        Probe("delete_item", one | IMPOSSIBLE, "no invitation can be declined or withdrawn"),
        _query(HostIndex, "HostId"),
        _query(OpponentIndex, "OpponentId"),
    ]


def _query(index: Any, key: str) -> Probe:
    request = {
        "TableName": TableItem.Meta.table_name,
        "IndexName": index.Meta.index_name,
        "KeyConditionExpression": f"{key} = :nobody",
        "ExpressionAttributeValues": {":nobody": NEVER["GameId"]},
        "Limit": 1,
    }
    return Probe("query", request, "no list of games can be shown", index.Meta.index_name)


def _try(probe: Probe) -> str:
    try:
        with table.unavailable():
            client = table.client()
            # What an allowed request is answered: by a table that is there, and by one that is not.
            known = client.exceptions
            with suppress(known.ConditionalCheckFailedException, known.ResourceNotFoundException):
                getattr(client, probe.method)(**probe.request)
    except NotAllowed as exc:
        where = f" (on {probe.index})" if probe.index else ""
        return f"{exc} Until then {probe.consequence}{where}."
    return ""


def status_problems(described: dict[str, Any]) -> list[str]:
    """Why the table, or an index that it has, can't be used just now, in sentences."""
    indexes = described.get("GlobalSecondaryIndexes", [])
    statuses = {f"The table {described['TableName']}": described["TableStatus"]}
    statuses |= {f"The index {index['IndexName']}": index.get("IndexStatus", "ACTIVE") for index in indexes}
    return [
        f"{what} is {status}: {STATUS_ADVICE.get(status, 'look at it in the console')}."
        for what, status in statuses.items()
        if status not in ("ACTIVE", "UPDATING")
    ]


def get_ready_in_background() -> None:
    """See to it that the site gets its table, and log what is in the way of that or of playing, while it serves."""
    threading.Thread(target=get_ready, name="get_ready", daemon=True).start()


def get_ready() -> None:
    """Make the table if there is none; return once nothing is in the way. The pauses between attempts grow."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        table.keep_warm()
        unfinished = creation.attempt()
        if not _checked_in_time().problems and not unfinished:
            return
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _checked_in_time() -> Readiness:
    with retries.within(retries.REQUEST_SECONDS):
        return check()


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
    problems = status_problems(described) + [str(each) for each in differences if each.breaks]
    notes = [str(each) for each in differences if not each.breaks]
    # A table with another schema is somebody else's: it is left alone.
    return Readiness(tuple(problems), tuple(notes)) if problems else _with_the_rest([], notes)


def _with_the_rest(problems: list[str], notes: list[str], *, there: bool = True) -> Readiness:
    rest = _rest.latest(there)
    return Readiness((*problems, *rest.problems), (*notes, *rest.notes, *creation.not_set))


def _absent() -> str:
    name, place = TableItem.Meta.table_name, table.place()
    if creation.obstacle:
        return f"There is no table {name} at {place}, and the site goes on trying to make it: {creation.obstacle}"
    if creation.underway:
        return f"There is no table {name} at {place} yet: the site is making it."
    return reasons.absent(place, name)


def _ask() -> Readiness:
    """What DescribeTable does not tell: may the site do what it does, and does TTL remove what has expired."""
    try:
        problems = [finding.problem for finding in try_actions() if finding.problem]
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
            of = (table.client(), there)  # models that are bound anew have another client
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
