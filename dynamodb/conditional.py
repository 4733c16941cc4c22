"""The only way to write to the table: conditional writes.

PynamoDB can't return the item that made a condition fail, so the three functions below build the request with
PynamoDB and send it themselves (https://github.com/pynamodb/PynamoDB/issues/1219). A failed condition then needs no
extra read: DynamoDB's error has the current item (ReturnValuesOnConditionCheckFailure in its API Reference).
"""

from typing import Any

from botocore.exceptions import ClientError
from pynamodb.connection import TableConnection
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from dynamodb.items import RawItem, TableItem
from dynamodb.reasons import unavailable


class ConditionFailed(Exception):
    """The condition of a write failed. ``item`` is the current item, or None if there isn't one.

    ``retried`` says that botocore sent the request more than once: the first try may have succeeded, its reply lost.
    """

    def __init__(self, item: RawItem | None, *, retried: bool) -> None:
        super().__init__()
        self.item = item
        self.retried = retried


def put(item: TableItem, condition: Condition) -> None:
    """Send PutItem. Raises ConditionFailed or StoreUnavailable."""
    _send(item, "PutItem", item.get_save_kwargs_from_instance(condition, "ALL_OLD"))


def update(item: TableItem, actions: list[Action], condition: Condition) -> RawItem:
    """Send UpdateItem for the key of ``item``. Return the new item. Raises ConditionFailed or StoreUnavailable."""
    request = item.get_update_kwargs_from_instance(actions, condition, "ALL_OLD")
    answer = _send(item, "UpdateItem", request | {"ReturnValues": "ALL_NEW"})
    return dict(answer["Attributes"])


def delete(item: TableItem, condition: Condition) -> None:
    """Send DeleteItem for the key of ``item``. Raises ConditionFailed or StoreUnavailable."""
    _send(item, "DeleteItem", item.get_delete_kwargs_from_instance(condition, "ALL_OLD"))


def _send(item: TableItem, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    connection: TableConnection = item._get_connection()
    with unavailable():
        try:
            return connection.connection.dispatch(operation, request)
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            # PynamoDB wraps botocore's error and drops the item from it.
            answer: dict[str, Any] = getattr(exc.__cause__, "response", {})
            retried = answer.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
            raise ConditionFailed(answer.get("Item"), retried=retried) from exc
