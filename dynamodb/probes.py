"""Probes that show whether IAM lets this server do each action it needs.

IAM refuses an action before DynamoDB looks for an item or checks a condition, so we can try each action with a request
that changes nothing. One round costs at most 3 write units (failed conditions are billed) and 2 read units.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dynamodb import schema
from dynamodb.client import shared_client
from dynamodb.errors import NotAllowed
from dynamodb.items import TableItem
from dynamodb.reasons import unavailable

NEVER = {"S": "probe#nothing"}


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that changes nothing. ``method`` is botocore's name for it, ``consequence`` what breaks if refused."""

    method: str
    request: dict[str, Any]
    consequence: str
    index: str = ""

    @property
    def action(self) -> str:
        """The action's name in a policy, such as dynamodb:GetItem."""
        return f"dynamodb:{self.method.title().replace('_', '')}"


def try_actions() -> list[tuple[Probe, str]]:
    """Try each action. Return each probe with a sentence on why it was refused, or an empty string if it's allowed.

    Raises StoreUnavailable for any other failure, such as an outage.
    """
    return [(probe, _try(probe)) for probe in probes()]


def probes() -> list[Probe]:
    """Return a request for each action that reads or writes items, and a query for each index."""
    name, table = TableItem.Meta.table_name, schema.request()
    never = {schema.partition_key(table["KeySchema"]): NEVER}
    one = {"TableName": name, "Key": never}
    many = {"RequestItems": {name: {"Keys": [never]}}}
    impossible = _impossible(*never)
    return [
        _probe("get_item", one),
        _probe("batch_get_item", many),
        _probe("put_item", {"TableName": name, "Item": never} | impossible),
        _probe("update_item", one | impossible),
        _probe("delete_item", one | impossible),
        *(_query(index) for index in table["GlobalSecondaryIndexes"]),
    ]


def _probe(method: str, request: dict[str, Any], index: str = "") -> Probe:
    consequence = TableItem.Meta.advice.consequences.get(method, "features that need it don't work")
    return Probe(method, request, consequence, index)


def _impossible(key: str) -> dict[str, str]:
    """Return a condition that is always false, whether or not the item exists."""
    return {"ConditionExpression": f"attribute_exists({key}) AND attribute_not_exists({key})"}


def _query(index: dict[str, Any]) -> Probe:
    request = {
        "TableName": TableItem.Meta.table_name,
        "IndexName": index["IndexName"],
        "KeyConditionExpression": f"{schema.partition_key(index['KeySchema'])} = :nobody",
        "ExpressionAttributeValues": {":nobody": NEVER},
        "Limit": 1,
    }
    return _probe("query", request, index["IndexName"])


def _try(probe: Probe) -> str:
    try:
        with unavailable():
            client = shared_client()
            # DynamoDB's errors for an allowed request: the first if the table exists, the second if it doesn't.
            known = client.exceptions
            with suppress(known.ConditionalCheckFailedException, known.ResourceNotFoundException):
                getattr(client, probe.method)(**probe.request)
    except NotAllowed as exc:
        where = f" (index {probe.index})" if probe.index else ""
        return f"{exc} Until then, {probe.consequence}{where}."
    return ""
