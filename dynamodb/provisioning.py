"""Creating the table and asking DynamoDB what it is.

PynamoDB's create_table waits without limit and fails where TTL is on already
(https://github.com/pynamodb/PynamoDB/issues/1278), so the few calls are made here.
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
# The endpoint has no such call, or needs none.
NOT_OFFERED = "UnknownOperationException"
EXPECTED = ("ResourceNotFoundException", "ResourceInUseException", NOT_OFFERED)


def describe() -> dict[str, Any] | None:
    """DescribeTable's answer, or None where there is no table. Raises StoreUnavailable."""
    try:
        return _call("describe_table", TableName=TableItem.Meta.table_name)["Table"]
    except _Refused:
        return None


def time_to_live() -> str:
    """The attribute that TTL goes by, or an empty string where there is none. Raises StoreUnavailable."""
    try:
        answer = _call("describe_time_to_live", TableName=TableItem.Meta.table_name)["TimeToLiveDescription"]
    except _Refused:
        return ""
    enabled = answer.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return str(answer.get("AttributeName", "")) if enabled else ""


def create(say: Callable[[str], None], *, only_new: bool = False) -> bool:
    """Make sure that the table is there, ACTIVE, and looked after; True if this call made it.

    Safe when many servers start at once: one of them makes the table, the others wait for it. ``say`` gets a line
    for each thing done or skipped, and one every two seconds of waiting. With ``only_new`` a table
    that is there stays exactly as it is. One of that name with another schema is somebody else's, and always left
    alone. Raises StoreUnavailable, also for that.
    """
    made = _make(say)
    _check(say)
    if made or not only_new:
        for problem in _look_after(say, CARE).values():
            say(problem)
    return made


class Creation:
    """The site's own attempts to have its table: they go on while it starts, and longer.

    A table that is there stays exactly as it is; one that is made here is looked after too. ``obstacle`` is why there
    is none yet, ``not_set`` what of a new one could not be switched on: both in sentences, empty where all is well.
    """

    def __init__(self) -> None:
        self.underway = False
        self.obstacle = ""
        self.not_set: list[str] = []
        self._left: list[Callable[[], str]] = []

    def attempt(self) -> bool:
        """Do what is left to do; whether anything still is, and should be tried again later."""
        self.underway = True
        try:
            if _make(logger.info):
                self._left = list(CARE)
            _check(logger.info)
            self.obstacle = ""
        except StoreUnavailable as exc:
            self.obstacle = str(exc)
            return True
        problems = _look_after(logger.info, self._left)
        self._left, self.not_set = list(problems), list(problems.values())
        self.underway = bool(problems)
        return bool(problems)


def _make(say: Callable[[str], None]) -> bool:
    made = describe() is None and _create_table()
    if made:
        say(f"Creating the table {TableItem.Meta.table_name} with its two indexes.")
    return made


def _check(say: Callable[[str], None]) -> None:
    broken = schema.broken(_wait_until_active(say))
    if broken:
        raise StoreUnavailable(broken)


def _look_after(say: Callable[[str], None], steps: Iterable[Callable[[], str]]) -> dict[Callable[[], str], str]:
    """Switch on what a table should have; the steps that did not succeed, each with why in a sentence."""
    problems = {}
    for step in steps:
        try:
            say(step())
        except (_NotSet, StoreUnavailable) as exc:
            problems[step] = str(exc)
    return problems


class _NotSet(Exception):
    """One sentence on what could not be switched on, and why."""


class _Refused(Exception):
    """DynamoDB's error ``code``, one of EXPECTED. ``retried`` says that an earlier try may have done it."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.code: str = response["Error"]["Code"]
        self.retried: bool = response["ResponseMetadata"].get("RetryAttempts", 0) > 0


def _call(method: str, **parameters: Any) -> dict[str, Any]:
    """Raises _Refused, StoreUnavailable."""
    with unavailable():
        try:
            return getattr(shared_client(), method)(**parameters)
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in EXPECTED:
                raise
            raise _Refused(exc.response) from exc


def _create_table() -> bool:
    try:
        _call("create_table", **schema.request())
    except _Refused as exc:
        return exc.retried  # Or another server was faster.
    except NotAllowed as exc:
        raise NotAllowed(f"{exc} {TableItem.Meta.advice.make_table_elsewhere}") from exc
    return True


def _wait_until_active(say: Callable[[str], None]) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_SECONDS
    pause = 0.1
    while True:
        described = describe() or {}
        parts = [described, *described.get("GlobalSecondaryIndexes", [])]
        statuses = [part.get("TableStatus", part.get("IndexStatus", "not there yet")) for part in parts]
        if all(status in ("ACTIVE", "UPDATING") for status in statuses):
            return described
        if time.monotonic() > deadline:
            raise StoreUnavailable(
                f"The table is still {statuses[0]} after {WAIT_SECONDS} s: look at it in the console."
            )
        if pause >= 2:
            say(f"Waiting for the table: {', '.join(statuses)}.")
        time.sleep(pause)
        pause = min(pause * 2, 2)


def _expire_items() -> str:
    if not TableItem.Meta.ttl_attribute:
        return "TTL: skipped, no attribute is to expire items."
    if time_to_live() == TableItem.Meta.ttl_attribute:
        return f"TTL: on already, by {TableItem.Meta.ttl_attribute}."
    specification = {"Enabled": True, "AttributeName": TableItem.Meta.ttl_attribute}
    try:
        return _cared("TTL", "update_time_to_live", TimeToLiveSpecification=specification)
    except _NotSet:
        # Of servers that start together, all but one are told that it is on already, as an error.
        if time_to_live() != TableItem.Meta.ttl_attribute:
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
            return f"{what}: skipped, this endpoint has none."
        raise _NotSet(f"{what}: not set. The table is being changed: try again in a minute.") from exc
    except StoreUnavailable as exc:
        raise _NotSet(f"{what}: not set. {exc}") from exc
    return f"{what}: on."


CARE = (_expire_items, _keep_backups, _protect)
