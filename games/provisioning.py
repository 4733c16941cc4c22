"""Creating the table and asking DynamoDB what it is.

PynamoDB's create_table waits without limit and fails where TTL is on already
(https://github.com/pynamodb/PynamoDB/issues/1278), so the few calls are made here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from games import schema, table
from games.errors import StoreUnavailable
from games.schema import TTL_ATTRIBUTE
from games.table import TableItem

WAIT_SECONDS = 300


def describe() -> dict[str, Any] | None:
    """DescribeTable's answer, or None where there is no table. Raises StoreUnavailable."""
    try:
        answer: dict[str, Any] = _call("describe_table", TableName=TableItem.Meta.table_name)["Table"]
    except _NoTable:
        return None
    return answer


def time_to_live() -> str:
    """The attribute that TTL goes by, or an empty string where it is off. Raises StoreUnavailable."""
    answer = _call("describe_time_to_live", TableName=TableItem.Meta.table_name)["TimeToLiveDescription"]
    enabled = answer.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return str(answer.get("AttributeName", "")) if enabled else ""


def create(say: Callable[[str], None], *, only_new: bool = False) -> bool:
    """Make sure that the table is there, ACTIVE, and looked after; True if this call made it.

    Safe when many servers start at once: one of them makes the table, the others wait for it. ``say`` gets a line
    for each thing done or skipped, and one every two seconds of waiting. With ``only_new`` a table
    that is there stays exactly as it is. One of that name with another schema is somebody else's, and always left
    alone. Raises StoreUnavailable, also for that.
    """
    made = describe() is None and _create_table()
    if made:
        say(f"Creating the table {TableItem.Meta.table_name} with its two indexes.")
    described = _wait_until_active(say)
    broken = schema.broken(described)
    if broken:
        raise StoreUnavailable(broken)
    if only_new and not made:
        return False
    for step in (_expire_items, _keep_backups, _protect):
        say(step())
    return made


class _NoTable(Exception):
    pass


class _TableExists(Exception):
    pass


class _NotOffered(Exception):
    """The endpoint has no such call, or needs no such call any more."""


def _call(method: str, **parameters: Any) -> dict[str, Any]:
    with table.unavailable():
        try:
            answer: dict[str, Any] = getattr(table.client(), method)(**parameters)
        except ClientError as exc:
            match exc.response["Error"]["Code"]:
                case "ResourceNotFoundException":
                    raise _NoTable from exc
                case "ResourceInUseException":
                    raise _TableExists from exc
                case "UnknownOperationException":
                    raise _NotOffered from exc
            raise
    return answer


def _create_table() -> bool:
    try:
        _call("create_table", **schema.request())
    except _TableExists:
        return False  # Another server was faster.
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
    if time_to_live() == TTL_ATTRIBUTE:
        return f"TTL: on already, by {TTL_ATTRIBUTE}."
    specification = {"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
    said = _cared("TTL", "update_time_to_live", TimeToLiveSpecification=specification)
    # Of servers that start together, all but one are told that it is on already, as an error.
    return "TTL: on." if time_to_live() == TTL_ATTRIBUTE else said


def _keep_backups() -> str:
    specification = {"PointInTimeRecoveryEnabled": True}
    return _cared("Point-in-time recovery", "update_continuous_backups", PointInTimeRecoverySpecification=specification)


def _protect() -> str:
    return _cared("Deletion protection", "update_table", DeletionProtectionEnabled=True)


def _cared(what: str, method: str, **parameters: Any) -> str:
    try:
        _call(method, TableName=TableItem.Meta.table_name, **parameters)
    except _NotOffered:
        return f"{what}: skipped, this endpoint has none."
    except (StoreUnavailable, _TableExists) as exc:
        return f"{what}: not set. {exc or 'The table is being changed: try again in a minute.'}"
    return f"{what}: on."
