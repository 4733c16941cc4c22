"""The schema that the models expect, and how the described table differs from it. Nothing here calls DynamoDB."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from dynamodb.items import TableItem, kinds

STATUS_ADVICE = {
    "CREATING": "wait until it is ACTIVE",
    "DELETING": "wait until it is gone",
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": "let DynamoDB use its KMS key again within 7 days, or the table is archived",
    "ARCHIVED": "restore it from its backup",
}


class Difference(NamedTuple):
    """One difference from the expected table. ``breaks`` says that the table can't be used because of it."""

    what: str
    consequence: str
    breaks: bool

    def __str__(self) -> str:
        return f"{self.what} {self.consequence}"


def request() -> dict[str, Any]:
    """Return CreateTable's parameters, read off the imported models. Raises LookupError if none has an index."""
    schemas = [kind._get_schema() for kind in kinds() if kind._indexes]
    if not schemas:
        raise LookupError("No imported model has an index: import the project's models first.")
    attributes = {each["AttributeName"]: each for schema in schemas for each in schema["attribute_definitions"]}
    indexes = {each["index_name"]: each for schema in schemas for each in schema["global_secondary_indexes"]}
    return {
        "TableName": TableItem.Meta.table_name,
        "BillingMode": TableItem.Meta.billing_mode,
        "AttributeDefinitions": list(attributes.values()),
        "KeySchema": schemas[0]["key_schema"],
        "GlobalSecondaryIndexes": [
            {"IndexName": index["index_name"], "KeySchema": index["key_schema"], "Projection": index["projection"]}
            for index in indexes.values()
        ],
    }


def differences(described: dict[str, Any]) -> list[Difference]:
    """Return the differences between DescribeTable's description and ``request()``."""
    expected, other_table = request(), TableItem.Meta.advice.other_table
    found = list(_key_differences(described["KeySchema"], expected["KeySchema"], "the table", other_table))
    found += _type_differences(described["AttributeDefinitions"], expected["AttributeDefinitions"])
    indexes = {index["IndexName"]: index for index in described.get("GlobalSecondaryIndexes", [])}
    for index in expected["GlobalSecondaryIndexes"]:
        found += _index_differences(indexes.pop(index["IndexName"], None), index)
    for name in sorted(indexes):
        found.append(Difference(f"There's an extra index {name}.", "It works, but each write to it costs.", False))
    if billing_mode(described) != expected["BillingMode"]:
        units = described["ProvisionedThroughput"]
        reads, writes = units["ReadCapacityUnits"], units["WriteCapacityUnits"]
        what = f"Capacity is provisioned ({reads} read, {writes} write units)."
        found.append(Difference(what, "Requests beyond that are throttled: switch to on-demand to avoid it.", False))
    return found


def ttl_differences(ttl: str) -> list[Difference]:
    """Return the differences in TTL, which DescribeTable omits. ``ttl`` is the TTL attribute, empty if TTL is off."""
    meta = TableItem.Meta
    if ttl == meta.ttl_attribute:
        return []
    what = f"TTL uses {ttl}." if ttl else "TTL is off."
    # DynamoDB doesn't allow a change of the attribute while TTL is on (UpdateTimeToLive in its API Reference).
    first = "turn it off, then " if ttl else ""
    consequence = f"Expired items are never deleted: {first}{meta.advice.set_ttl} to use {meta.ttl_attribute}."
    return [Difference(what, consequence, False)]


def key_text(key_schema: list[dict[str, str]]) -> str:
    """Return the key's attributes for a message, the partition key first."""
    parts = {"HASH": "partition key", "RANGE": "sort key"}
    ordered = sorted(key_schema, key=lambda key: key["KeyType"])
    return ", ".join(f"{key['AttributeName']} ({parts[key['KeyType']]})" for key in ordered)


def partition_key(key_schema: list[dict[str, str]]) -> str:
    return next(key["AttributeName"] for key in key_schema if key["KeyType"] == "HASH")


def billing_mode(described: dict[str, Any]) -> str:
    """Return PAY_PER_REQUEST or PROVISIONED. DescribeTable may omit the latter."""
    return str(described.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"))


def status_problems(described: dict[str, Any]) -> list[str]:
    """Return a sentence for the table and each of its indexes that can't be used now because of its status."""
    indexes = described.get("GlobalSecondaryIndexes", [])
    statuses = {f"The table {described['TableName']}": described["TableStatus"]}
    statuses |= {f"The index {index['IndexName']}": index.get("IndexStatus", "ACTIVE") for index in indexes}
    return [
        f"{what} is {status}: {STATUS_ADVICE.get(status, 'look at it in the console')}."
        for what, status in statuses.items()
        if status not in ("ACTIVE", "UPDATING")
    ]


def _index_differences(found: dict[str, Any] | None, expected: dict[str, Any]) -> Iterator[Difference]:
    name, advice = expected["IndexName"], TableItem.Meta.advice
    if found is None:
        yield Difference(f"The index {name} is missing.", advice.index_missing, True)
        return
    yield from _key_differences(found["KeySchema"], expected["KeySchema"], f"the index {name}", advice.index_missing)
    yield from _projection_differences(name, found["Projection"], expected["Projection"])


def _projection_differences(name: str, found: dict[str, Any], expected: dict[str, Any]) -> Iterator[Difference]:
    advice, kind, wanted = TableItem.Meta.advice, expected["ProjectionType"], expected.get("NonKeyAttributes", [])
    if found["ProjectionType"] == kind == "ALL":
        return
    if found["ProjectionType"] == "ALL":
        what = f"The index {name} projects ALL attributes, not only {', '.join(wanted) or 'the keys'}."
        yield Difference(what, advice.index_projects_all, False)
        return
    projected = found.get("NonKeyAttributes", [])
    extra = [attribute for attribute in projected if attribute not in wanted and kind != "ALL"]
    if extra:
        consequence = "It works, but a write that changes one of them costs more."
        yield Difference(f"The index {name} also projects {', '.join(extra)}.", consequence, False)
    missing = ["ALL attributes"] if kind == "ALL" else [each for each in wanted if each not in projected]
    if missing:
        yield Difference(f"The index {name} doesn't project {', '.join(missing)}.", advice.index_lacks, True)


def _key_differences(found: list[Any], expected: list[Any], whose: str, consequence: str) -> Iterator[Difference]:
    if key_text(found) != key_text(expected):
        what = f"The key of {whose} is {key_text(found)}, not {key_text(expected)}."
        yield Difference(what, consequence, True)


def _type_differences(found: list[Any], expected: list[Any]) -> Iterator[Difference]:
    other_table = TableItem.Meta.advice.other_table
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in found}
    for attribute in expected:
        name, wanted = attribute["AttributeName"], attribute["AttributeType"]
        if types.get(name, wanted) != wanted:
            yield Difference(f"The key attribute {name} has type {types[name]}, not {wanted}.", other_table, True)
