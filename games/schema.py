"""The table as the code expects it: creating it, and saying how an existing one differs.

PynamoDB's create_table waits without limit and fails where TTL is on already
(https://github.com/pynamodb/PynamoDB/issues/1278), so the few calls are made here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from games import table
from games.errors import StoreUnavailable
from games.models import Game
from games.table import TableItem

WAIT_SECONDS = 300
TTL_ATTRIBUTE = "ExpiresAt"


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which the table is not as expected. ``breaks`` says that the site does not work with it."""

    what: str
    consequence: str
    breaks: bool


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


def create(say: Callable[[str], None]) -> bool:
    """Make sure that the table is there, ACTIVE, and looked after; True if this call made it.

    Safe when many servers start at once: one of them makes the table, the others wait for it. ``say`` gets a line
    for each thing done or skipped, and one every two seconds of waiting. Raises StoreUnavailable.
    """
    name = TableItem.Meta.table_name
    made = describe() is None and _create_table()
    if made:
        say(f"Creating the table {name} with its two indexes.")
    _wait_until_active(say)
    for step in (_expire_items, _keep_backups, _protect):
        say(step())
    return made


def request() -> dict[str, Any]:
    """The parameters of CreateTable."""
    schema = Game._get_schema()
    return {
        "TableName": TableItem.Meta.table_name,
        "BillingMode": TableItem.Meta.billing_mode,
        "AttributeDefinitions": schema["attribute_definitions"],
        "KeySchema": schema["key_schema"],
        "GlobalSecondaryIndexes": [
            {"IndexName": index["index_name"], "KeySchema": index["key_schema"], "Projection": index["projection"]}
            for index in schema["global_secondary_indexes"]
        ],
    }


def differences(described: dict[str, Any], ttl: str) -> list[Difference]:
    """How the table that DescribeTable describes differs from ``request()``."""
    expected = request()
    found = list(_key_differences(described["KeySchema"], expected["KeySchema"], "the table", ""))
    indexes = {index["IndexName"]: index for index in described.get("GlobalSecondaryIndexes", [])}
    for index in expected["GlobalSecondaryIndexes"]:
        found += _index_differences(indexes.pop(index["IndexName"], None), index)
    for name in sorted(indexes):
        found.append(Difference(f"There is an index {name} besides.", "Harmless, but each write to it costs.", False))
    if billing_mode(described) != expected["BillingMode"]:
        units = described["ProvisionedThroughput"]
        what = (
            f"Capacity is provisioned ({units['ReadCapacityUnits']} read, {units['WriteCapacityUnits']} write units)."
        )
        found.append(Difference(what, "It works, throttled beyond that; on-demand needs no forecast.", False))
    if ttl != TTL_ATTRIBUTE:
        what = f"TTL goes by {ttl}." if ttl else "TTL is off."
        found.append(
            Difference(what, f"Expired items stay for ever: run manage.py create_table to set {TTL_ATTRIBUTE}.", False)
        )
    return found


def key_text(key_schema: list[dict[str, str]]) -> str:
    """A key for people: its attributes, partition key first."""
    parts = {"HASH": "partition key", "RANGE": "sort key"}
    ordered = sorted(key_schema, key=lambda key: key["KeyType"])
    return ", ".join(f"{key['AttributeName']} ({parts[key['KeyType']]})" for key in ordered)


def billing_mode(described: dict[str, Any]) -> str:
    """PAY_PER_REQUEST or PROVISIONED, which DescribeTable leaves out."""
    return str(described.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"))


def _index_differences(found: dict[str, Any] | None, expected: dict[str, Any]) -> Iterator[Difference]:
    name = expected["IndexName"]
    if found is None:
        yield Difference(f"The index {name} is missing.", "The lobby can't list games: recreate the table.", True)
        return
    yield from _key_differences(
        found["KeySchema"], expected["KeySchema"], f"the index {name}", "The lobby can't list games."
    )
    projection, wanted = found["Projection"], expected["Projection"]["NonKeyAttributes"]
    if projection["ProjectionType"] == "ALL":
        consequence = "It works, and each move costs 3 write units instead of 1, as in the AWS example."
        yield Difference(f"The index {name} projects ALL attributes, not only {', '.join(wanted)}.", consequence, False)
        return
    missing = [attribute for attribute in wanted if attribute not in projection.get("NonKeyAttributes", [])]
    if missing:
        consequence = "The lobby shows games without their other player or result."
        yield Difference(f"The index {name} does not project {', '.join(missing)}.", consequence, True)


def _key_differences(found: list[Any], expected: list[Any], whose: str, consequence: str) -> Iterator[Difference]:
    if key_text(found) != key_text(expected):
        what = f"The key of {whose} is {key_text(found)}, not {key_text(expected)}."
        yield Difference(
            what, consequence or "The site can't use this table: name another with [dynamodb] table.", True
        )


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
        _call("create_table", **request())
    except _TableExists:
        return False  # Another server was faster.
    return True


def _wait_until_active(say: Callable[[str], None]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    pause = 0.1
    while True:
        described = describe() or {}
        parts = [described, *described.get("GlobalSecondaryIndexes", [])]
        statuses = [part.get("TableStatus", part.get("IndexStatus", "not there yet")) for part in parts]
        if all(status in ("ACTIVE", "UPDATING") for status in statuses):
            return
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
    return _cared("TTL", "update_time_to_live", TimeToLiveSpecification=specification)


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
