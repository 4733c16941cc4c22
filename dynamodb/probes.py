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
    """A request that changes nothing. ``method`` is botocore's name for it, ``index`` the index that it queries."""

    method: str
    request: dict[str, Any]
    index: str = ""

    @property
    def action(self) -> str:
        """The action's name in a policy, such as dynamodb:GetItem."""
        return f"dynamodb:{self.method.title().replace('_', '')}"


def try_actions() -> list[tuple[Probe, str]]:
    """Return each probe, and in a sentence why it was refused, or "". Raises StoreUnavailable for anything else."""
    return [(probe, _try(probe)) for probe in probes()]


def probes() -> list[Probe]:
    """Return a request for each action that reads or writes items, and a query for each index."""
    table = schema.request()
    name, key = table["TableName"], schema.partition_key(table["KeySchema"])
    one = {"TableName": name, "Key": {key: NEVER}}
    # Always false, whether or not the item exists.
    impossible = {"ConditionExpression": f"attribute_exists({key}) AND attribute_not_exists({key})"}
    return [
        Probe("get_item", one),
        Probe("batch_get_item", {"RequestItems": {name: {"Keys": [one["Key"]]}}}),
        Probe("put_item", {"TableName": name, "Item": one["Key"]} | impossible),
        Probe("update_item", one | impossible),
        Probe("delete_item", one | impossible),
        *(_query(name, index) for index in table["GlobalSecondaryIndexes"]),
    ]


def _query(table: str, index: dict[str, Any]) -> Probe:
    nobody = f"{schema.partition_key(index['KeySchema'])} = :nobody"
    request = {"TableName": table, "IndexName": index["IndexName"], "KeyConditionExpression": nobody, "Limit": 1}
    return Probe("query", request | {"ExpressionAttributeValues": {":nobody": NEVER}}, index["IndexName"])


def _try(probe: Probe) -> str:
    try:
        with unavailable():
            client = shared_client()
            # DynamoDB's errors for an allowed request: the first if the table exists, the second if it doesn't.
            known = client.exceptions
            with suppress(known.ConditionalCheckFailedException, known.ResourceNotFoundException):
                getattr(client, probe.method)(**probe.request)
    except NotAllowed as exc:
        consequence = TableItem.Meta.advice.consequences.get(probe.method, "features that need it don't work")
        where = f" (index {probe.index})" if probe.index else ""
        return f"{exc} Until then, {consequence}{where}."
    return ""
