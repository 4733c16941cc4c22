"""The calls that create and describe the table. PynamoDB's own would wait without a limit, and fail if TTL is on.

See https://github.com/pynamodb/PynamoDB/issues/1278.
"""

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
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
_ENABLED = {"PointInTimeRecoveryEnabled": True}
EXPECTED = ("ResourceNotFoundException", "ResourceInUseException", NOT_OFFERED)


def describe() -> dict[str, Any] | None:
    """Return DescribeTable's description, or None if the table doesn't exist. Raises StoreUnavailable."""
    return _call("describe_table").get("Table")


def time_to_live() -> str:
    """Return the table's TTL attribute, or an empty string if TTL is off. Raises StoreUnavailable."""
    described = _call("describe_time_to_live").get("TimeToLiveDescription", {})
    enabled = described.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return str(described.get("AttributeName", "")) if enabled else ""


def recovery() -> str:
    """Return whether point-in-time recovery is on: on, off, or not offered by the endpoint. Raises StoreUnavailable."""
    backups = _call("describe_continuous_backups").get("ContinuousBackupsDescription")
    if backups is None:
        return "not offered"
    described = backups.get("PointInTimeRecoveryDescription", {})
    return "on" if described.get("PointInTimeRecoveryStatus") == "ENABLED" else "off"


def create(say: Callable[[str], None], *, only_new: bool = False) -> tuple[bool, list[str]]:
    """Create the table if needed, wait until it's ACTIVE, and apply CARE.

    Return whether this call created it, and in sentences which settings in CARE failed. Many servers can call this at
    once: one creates the table, the others wait for it. ``say`` gets a line for each thing done or skipped, and one
    every two seconds of waiting. ``only_new`` leaves an existing table exactly as it is. A table with another schema
    belongs to somebody else, so it's never changed. Raises StoreUnavailable, also if the schema is wrong.
    """
    creation = Creation(say, left=() if only_new else CARE)
    creation.go_on()
    return creation.made, creation.not_set


class Creation:
    """The creation of the table, in as many attempts as it takes. An existing table gets only the steps in ``left``.

    ``obstacle`` says why there's no table yet, ``not_set`` which settings failed: in sentences, empty if all is well.
    """

    def __init__(self, say: Callable[[str], None] = logger.info, left: Iterable[Callable[[], str]] = ()) -> None:
        self.underway = False
        self.made = False
        self.obstacle = ""
        self.not_set: list[str] = []
        self._say = say
        self._left = list(left)

    def attempt(self) -> bool:
        """Try what remains to be done. Return whether something failed and must be tried again later."""
        self.underway = True
        try:
            self.go_on()
        except StoreUnavailable as exc:
            self.obstacle = str(exc)
            return True
        self.obstacle = ""
        self.underway = bool(self.not_set)
        return self.underway

    def go_on(self) -> None:
        """Do what remains to be done. Raises StoreUnavailable if there's no table that can be used."""
        if _make(self._say):
            self.made, self._left = True, list(CARE)
        _wait_until_usable(self._say)
        problems = {}
        for step in self._left:
            try:
                self._say(step())
            except StoreUnavailable as exc:
                problems[step] = str(exc)
        self._left, self.not_set = list(problems), list(problems.values())


def _make(say: Callable[[str], None]) -> bool:
    """Create the table if there is none. Return whether this call did."""
    if describe():
        return False
    try:
        answer = _call("create_table", **schema.request())
    except NotAllowed as exc:
        raise NotAllowed(f"{exc} {TableItem.Meta.advice.make_table_elsewhere}") from exc
    if "Error" in answer and not answer["ResponseMetadata"].get("RetryAttempts"):
        return False  # Another server was faster. If it was sent again, the first try may have succeeded.
    say(f"Creating the table {TableItem.Meta.table_name} with its indexes.")
    return True


def _call(method: str, **parameters: Any) -> dict[str, Any]:
    """Call the client's ``method``. Return its answer, with an "Error" if it's in EXPECTED. Raises StoreUnavailable."""
    with unavailable():
        try:
            return getattr(shared_client(), method)(**{"TableName": TableItem.Meta.table_name} | parameters)
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in EXPECTED:
                raise
            return dict(exc.response)


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


def _cared(what: str, method: str, **parameters: Any) -> str:
    try:
        error = _call(method, **parameters).get("Error")
    except StoreUnavailable as exc:
        raise StoreUnavailable(f"{what}: not set. {exc}") from exc
    if error and error["Code"] != NOT_OFFERED:
        raise StoreUnavailable(f"{what}: not set. The table is being updated: try again in a minute.")
    return f"{what}: skipped, because this endpoint doesn't offer it." if error else f"{what}: on."


CARE: tuple[Callable[[], str], ...] = (
    _expire_items,
    partial(_cared, "Point-in-time recovery", "update_continuous_backups", PointInTimeRecoverySpecification=_ENABLED),
    partial(_cared, "Deletion protection", "update_table", DeletionProtectionEnabled=True),
)
