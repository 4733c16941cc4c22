"""The table as the code expects it, and how one that DynamoDB describes differs from it. Nothing here is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from games.models import Game
from games.table import TableItem

TTL_ATTRIBUTE = "ExpiresAt"
ANOTHER_TABLE = "The site can't use this table: name another with [dynamodb] table."
NEW_INDEX = "make it as manage.py create_table --dry-run prints it, or name another table with [dynamodb] table."


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which the table is not as expected. ``breaks`` says that the site does not work with it."""

    what: str
    consequence: str
    breaks: bool

    def __str__(self) -> str:
        return f"{self.what} {self.consequence}"


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


def differences(described: dict[str, Any]) -> list[Difference]:
    """How the table that DescribeTable describes differs from ``request()``."""
    expected = request()
    found = list(_key_differences(described["KeySchema"], expected["KeySchema"], "the table", ANOTHER_TABLE))
    found += _type_differences(described["AttributeDefinitions"], expected["AttributeDefinitions"])
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
    return found


def ttl_differences(ttl: str) -> list[Difference]:
    """The same for the attribute that TTL goes by, which DescribeTable does not tell; empty where TTL is off."""
    if ttl == TTL_ATTRIBUTE:
        return []
    what = f"TTL goes by {ttl}." if ttl else "TTL is off."
    # DynamoDB refuses to change the attribute while TTL is on (UpdateTimeToLive in its API Reference).
    first = "switch it off, and run" if ttl else "run"
    consequence = f"Expired items stay for ever: {first} manage.py create_table to set {TTL_ATTRIBUTE}."
    return [Difference(what, consequence, False)]


def broken(described: dict[str, Any]) -> str:
    """Why the site can't work with the table, in sentences; nothing where it can."""
    return " ".join(str(each) for each in differences(described) if each.breaks)


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
        yield Difference(f"The index {name} is missing.", f"The lobby can't list games: {NEW_INDEX}", True)
        return
    consequence = f"The lobby can't list games: {NEW_INDEX}"
    yield from _key_differences(found["KeySchema"], expected["KeySchema"], f"the index {name}", consequence)
    projection, wanted = found["Projection"], expected["Projection"]["NonKeyAttributes"]
    if projection["ProjectionType"] == "ALL":
        consequence = "It works, and each move costs 3 write units instead of 1, as in the AWS example."
        yield Difference(f"The index {name} projects ALL attributes, not only {', '.join(wanted)}.", consequence, False)
        return
    extra = [attribute for attribute in projection.get("NonKeyAttributes", []) if attribute not in wanted]
    if extra:
        consequence = "It works, and a write that changes one of them costs more."
        yield Difference(f"The index {name} projects {', '.join(extra)} besides.", consequence, False)
    missing = [attribute for attribute in wanted if attribute not in projection.get("NonKeyAttributes", [])]
    if missing:
        consequence = f"The lobby shows games without their other player or result: {NEW_INDEX}"
        yield Difference(f"The index {name} does not project {', '.join(missing)}.", consequence, True)


def _key_differences(found: list[Any], expected: list[Any], whose: str, consequence: str) -> Iterator[Difference]:
    if key_text(found) != key_text(expected):
        what = f"The key of {whose} is {key_text(found)}, not {key_text(expected)}."
        yield Difference(what, consequence, True)


def _type_differences(found: list[Any], expected: list[Any]) -> Iterator[Difference]:
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in found}
    for attribute in expected:
        name, wanted = attribute["AttributeName"], attribute["AttributeType"]
        if types.get(name, wanted) != wanted:
            yield Difference(f"The key attribute {name} is of type {types[name]}, not {wanted}.", ANOTHER_TABLE, True)
