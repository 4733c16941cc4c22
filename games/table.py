"""The one DynamoDB table: where it is, and the one way to write to it, which is under a condition.

PynamoDB can't ask for the item that made a condition fail, so the three writes below build their request with
PynamoDB and send it themselves (https://github.com/pynamodb/PynamoDB/issues/1219). A failed condition then costs no
read: DynamoDB answers with the item as it is (ReturnValuesOnConditionCheckFailure in its API Reference).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import TableConnection
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from games import metering, reasons, replies, retries
from games.errors import StoreUnavailable
from tictactoe_site.config import Config

RawItem: TypeAlias = dict[str, dict[str, Any]]


class TableItem(Model):
    """An item of the table, of whatever kind. Games, players and counters are told apart by the key's form."""

    class Meta:
        table_name = "Games"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        region = ""
        host: str | None = None
        aws_access_key_id: str | None = None
        aws_secret_access_key: str | None = None
        connect_timeout_seconds = retries.CONNECT_SECONDS
        read_timeout_seconds = retries.ANSWER_SECONDS
        max_retry_attempts = retries.TRIES - 1
        max_pool_connections = 128  # as many as requests and the lobby's second queries can use at a time

    game_id = UnicodeAttribute(hash_key=True, attr_name="GameId")


class ConditionFailed(Exception):
    """The item was not as the write assumed. ``item`` is what it is, or None where there is none.

    ``retried`` says that botocore sent the request more than once: the first may have landed and its reply been lost.
    """

    def __init__(self, item: RawItem | None, *, retried: bool) -> None:
        super().__init__()
        self.item = item
        self.retried = retried


def bind(config: Config, *, patient: bool = False) -> None:
    """Make every model use the table of ``config``. Nothing is sent yet.

    Commands are ``patient``: creating a table may take seconds to answer, and no player waits for it.
    """
    meta = TableItem.Meta
    meta.read_timeout_seconds = 20 if patient else retries.ANSWER_SECONDS
    meta.table_name, meta.region, meta.host = config.table, config.region, config.endpoint
    meta.aws_access_key_id, meta.aws_secret_access_key = config.access_key_id, config.secret_access_key
    for model in _kinds(TableItem):
        model._connection = None


def place() -> str:
    """Where the table is, for people."""
    return Config(region=TableItem.Meta.region, endpoint=TableItem.Meta.host).place


def client() -> Any:
    """botocore's own client, for the calls that PynamoDB lacks."""
    return TableItem._get_connection().connection.client


def warm_up() -> None:
    """Build one client, now, for all models: threads that met a cold one together would each build it, in seconds.

    It keeps the time bounds of ``games.retries``, takes no damaged reply, and is metered.
    """
    shared = client()
    retries.govern(shared)
    replies.check(shared)
    metering.meter(shared)
    for model in _kinds(TableItem):
        model._get_connection().connection._client = shared


def keep_warm() -> None:
    """The same, unless it is done: without credentials PynamoDB builds a client for each call, which keeps no bounds.

    Nothing is done where there can be no client yet; /readyz/ and the log say why.
    """
    with suppress(StoreUnavailable), unavailable():
        if not replies.are_checked(client()):
            warm_up()


def _kinds(model: type[TableItem]) -> list[type[TableItem]]:
    return [model, *(kind for child in model.__subclasses__() for kind in _kinds(child))]


def put(item: TableItem, condition: Condition) -> None:
    """PutItem. Raises ConditionFailed or StoreUnavailable."""
    _send(item, "PutItem", item.get_save_kwargs_from_instance(condition, "ALL_OLD"))


def update(item: TableItem, actions: list[Action], condition: Condition) -> RawItem:
    """UpdateItem of the item with this one's key; the whole new item. Raises ConditionFailed or StoreUnavailable."""
    request = item.get_update_kwargs_from_instance(actions, condition, "ALL_OLD")
    answer = _send(item, "UpdateItem", request | {"ReturnValues": "ALL_NEW"})
    return dict(answer["Attributes"])


def delete(item: TableItem, condition: Condition) -> None:
    """DeleteItem of the item with this one's key. Raises ConditionFailed or StoreUnavailable."""
    _send(item, "DeleteItem", item.get_delete_kwargs_from_instance(condition, "ALL_OLD"))


def _send(item: TableItem, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    connection: TableConnection = item._get_connection()
    with unavailable():
        try:
            return connection.connection.dispatch(operation, request)
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            # PynamoDB wraps botocore's error and leaves the item behind.
            answer: dict[str, Any] = getattr(exc.__cause__, "response", {})
            retried = answer.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
            raise ConditionFailed(answer.get("Item"), retried=retried) from exc


@contextmanager
def unavailable() -> Iterator[None]:
    """Turns whatever PynamoDB and botocore raise into StoreUnavailable, with a reason an operator can act on."""
    try:
        yield
    except PynamoDBException as exc:
        raise reasons.unavailable(exc.cause or exc, place(), TableItem.Meta.table_name) from exc
    except (BotoCoreError, ClientError) as exc:
        raise reasons.unavailable(exc, place(), TableItem.Meta.table_name) from exc
    except RuntimeError as exc:
        if "still expired" not in str(exc):  # botocore has no exception of its own for this
            raise
        raise StoreUnavailable(reasons.EXPIRED) from exc
