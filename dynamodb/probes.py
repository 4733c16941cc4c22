"""Can this server do each action that the site needs?

IAM refuses an action before DynamoDB looks for an item or at a condition, so every action is tried in a form that
changes nothing. All of it costs 3 write units (a failed condition is billed) and 2 read units at most.
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
    """A request that changes nothing, by botocore's name for it, and what does not work where it is refused."""

    method: str
    request: dict[str, Any]
    consequence: str
    index: str = ""

    @property
    def action(self) -> str:
        """As a policy has it: dynamodb:GetItem."""
        return f"dynamodb:{self.method.title().replace('_', '')}"


def try_actions() -> list[tuple[Probe, str]]:
    """Try each action that the running site takes. With it comes a sentence on why it is refused, or an empty one.

    Raises StoreUnavailable, as in an outage.
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
    consequence = TableItem.Meta.advice.consequences.get(method, "what needs it does not work")
    return Probe(method, request, consequence, index)


def _impossible(key: str) -> dict[str, str]:
    """A condition that no item, and no lack of one, makes true."""
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
            # What an allowed request is answered: by a table that is there, and by one that is not.
            known = client.exceptions
            with suppress(known.ConditionalCheckFailedException, known.ResourceNotFoundException):
                getattr(client, probe.method)(**probe.request)
    except NotAllowed as exc:
        where = f" (on {probe.index})" if probe.index else ""
        return f"{exc} Until then {probe.consequence}{where}."
    return ""
