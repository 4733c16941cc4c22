"""The calls that create and describe the table.

PynamoDB's create_table waits without a limit, and fails if TTL is already on
(https://github.com/pynamodb/PynamoDB/issues/1278), so we make these few calls ourselves.
"""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from dynamodb import schema
from dynamodb.client import shared_client
from dynamodb.errors import NotAllowed, StoreUnavailable
from dynamodb.items import TableItem
from dynamodb.reasons import unavailable

logger = logging.getLogger(__name__)

WAIT_SECONDS = 300
# The endpoint doesn't offer the call.
NOT_OFFERED = "UnknownOperationException"
EXPECTED = ("ResourceNotFoundException", "ResourceInUseException", NOT_OFFERED)


def describe() -> dict[str, Any] | None:
    """Return DescribeTable's description, or None if the table doesn't exist. Raises StoreUnavailable."""
    return _ask("describe_table").get("Table")


def time_to_live() -> str:
    """Return the table's TTL attribute, or an empty string if TTL is off. Raises StoreUnavailable."""
    described = _ask("describe_time_to_live").get("TimeToLiveDescription", {})
    enabled = described.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return str(described.get("AttributeName", "")) if enabled else ""


def recovery() -> str:
    """Return whether point-in-time recovery is on: on, off, or not offered by the endpoint. Raises StoreUnavailable."""
    backups = _ask("describe_continuous_backups").get("ContinuousBackupsDescription")
    if backups is None:
        return "not offered"
    described = backups.get("PointInTimeRecoveryDescription", {})
    return "on" if described.get("PointInTimeRecoveryStatus") == "ENABLED" else "off"


def create(say: Callable[[str], None], *, only_new: bool = False) -> tuple[bool, list[str]]:
    """Create the table if needed, wait until it's ACTIVE, and apply CARE.

    Return whether this call created it, and in sentences which settings in CARE failed.

    Many servers can call this at once: one creates the table, the others wait for it. ``say`` gets a line for each
    thing done or skipped, and one every two seconds of waiting. ``only_new`` leaves an existing table exactly as it
    is. A table with another schema belongs to somebody else, so it's never changed.
    Raises StoreUnavailable, also if the schema is wrong.
    """
    made = _make(say)
    _wait_until_usable(say)
    problems = _look_after(say, CARE) if made or not only_new else {}
    return made, list(problems.values())


class Creation:
    """The server's own attempts to create its table, during startup and after it.

    An existing table stays exactly as it is; a new one gets everything in CARE. ``obstacle`` says why there's no table
    yet, ``not_set`` which settings of a new one failed: both in sentences, and empty if all is well.
    """

    def __init__(self) -> None:
        self.underway = False
        self.obstacle = ""
        self.not_set: list[str] = []
        self._left: list[Callable[[], str]] = []

    def attempt(self) -> bool:
        """Try the steps that remain. Return whether some failed and must be tried again later."""
        self.underway = True
        try:
            if _make(logger.info):
                self._left = list(CARE)
            _wait_until_usable(logger.info)
            self.obstacle = ""
        except StoreUnavailable as exc:
            self.obstacle = str(exc)
            return True
        problems = _look_after(logger.info, self._left)
        self._left, self.not_set = list(problems), list(problems.values())
        self.underway = bool(problems)
        return bool(problems)


def _make(say: Callable[[str], None]) -> bool:
    """Create the table if there is none. Return whether this call did."""
    if describe():
        return False
    try:
        _call("create_table", **schema.request())
    except _Refused as exc:
        if not exc.retried:
            return False  # Another server was faster.
    except NotAllowed as exc:
        raise NotAllowed(f"{exc} {TableItem.Meta.advice.make_table_elsewhere}") from exc
    say(f"Creating the table {TableItem.Meta.table_name} with its indexes.")
    return True


def _look_after(say: Callable[[str], None], steps: Iterable[Callable[[], str]]) -> dict[Callable[[], str], str]:
    """Run the steps. Return those that failed, each with the reason in a sentence."""
    problems = {}
    for step in steps:
        try:
            say(step())
        except StoreUnavailable as exc:
            problems[step] = str(exc)
    return problems


class _Refused(Exception):
    """DynamoDB answered with an error in EXPECTED. ``retried`` says that an earlier try may have succeeded."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.code: str = response["Error"]["Code"]
        self.retried: bool = response["ResponseMetadata"].get("RetryAttempts", 0) > 0


def _ask(method: str) -> dict[str, Any]:
    """Return the answer about the table; empty if there's no table or no such call. Raises StoreUnavailable."""
    try:
        return _call(method, TableName=TableItem.Meta.table_name)
    except _Refused:
        return {}


def _call(method: str, **parameters: Any) -> dict[str, Any]:
    """Call the client's ``method``. Raises _Refused or StoreUnavailable."""
    with unavailable():
        try:
            return getattr(shared_client(), method)(**parameters)
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in EXPECTED:
                raise
            raise _Refused(exc.response) from exc


def _wait_until_usable(say: Callable[[str], None]) -> None:
    """Wait until the table and its indexes are ACTIVE. Raises StoreUnavailable, also if the schema is wrong."""
    deadline = time.monotonic() + WAIT_SECONDS
    pause = 0.1
    while True:
        described = describe() or {}
        parts = [described, *described.get("GlobalSecondaryIndexes", [])]
        statuses = [part.get("TableStatus", part.get("IndexStatus", "missing")) for part in parts]
        if all(status in ("ACTIVE", "UPDATING") for status in statuses):
            break
        if time.monotonic() > deadline:
            what = f"The table is still {statuses[0]} after {WAIT_SECONDS} s"
            raise StoreUnavailable(f"{what}: look at it in the console.")
        if pause >= 2:
            say(f"Waiting for the table: {', '.join(statuses)}.")
        time.sleep(pause)
        pause = min(pause * 2, 2)
    if broken := " ".join(str(each) for each in schema.differences(described) if each.breaks):
        raise StoreUnavailable(broken)


def _expire_items() -> str:
    attribute = TableItem.Meta.ttl_attribute
    if not attribute:
        return "TTL: skipped, because no TTL attribute is configured."
    if time_to_live() == attribute:
        return f"TTL: already on, for {attribute}."
    specification = {"Enabled": True, "AttributeName": attribute}
    try:
        return _cared("TTL", "update_time_to_live", TimeToLiveSpecification=specification)
    except StoreUnavailable:
        # If several servers start together, all but one get an error: TTL is already on.
        if time_to_live() != attribute:
            raise
    return "TTL: on."


def _keep_backups() -> str:
    specification = {"PointInTimeRecoveryEnabled": True}
    return _cared("Point-in-time recovery", "update_continuous_backups", PointInTimeRecoverySpecification=specification)


def _protect() -> str:
    return _cared("Deletion protection", "update_table", DeletionProtectionEnabled=True)


def _cared(what: str, method: str, **parameters: Any) -> str:
    try:
        _call(method, TableName=TableItem.Meta.table_name, **parameters)
    except _Refused as exc:
        if exc.code == NOT_OFFERED:
            return f"{what}: skipped, because this endpoint doesn't offer it."
        raise StoreUnavailable(f"{what}: not set. The table is being updated: try again in a minute.") from exc
    except StoreUnavailable as exc:
        raise StoreUnavailable(f"{what}: not set. {exc}") from exc
    return f"{what}: on."


CARE = (_expire_items, _keep_backups, _protect)
