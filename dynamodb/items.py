"""The items of the one table, of whatever kind, and where the table is."""

from typing import Any, TypeAlias

from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.models import Model

from dynamodb import retries
from dynamodb.advice import Advice

RawItem: TypeAlias = dict[str, dict[str, Any]]


class TableItem(Model):
    """The base of every item. A project's own base adds the key, and no ``Meta``: ``bind`` fills this one."""

    class Meta:
        table_name = ""
        ttl_attribute = ""
        advice = Advice()
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        region = ""
        host: str | None = None
        aws_access_key_id: str | None = None
        aws_secret_access_key: str | None = None
        connect_timeout_seconds = retries.CONNECT_SECONDS
        read_timeout_seconds = retries.ANSWER_SECONDS
        max_retry_attempts = retries.TRIES - 1
        max_pool_connections = 128  # as many as threads with two calls each can use at a time


def bind(
    *,
    table: str,
    region: str,
    endpoint: str | None = None,
    credentials: tuple[str | None, str | None] = (None, None),
    ttl_attribute: str = "",
    advice: Advice | None = None,
    answer_seconds: float = retries.ANSWER_SECONDS,
) -> None:
    """Make every model use this table. Nothing is sent yet.

    ``endpoint`` is a URL, or None for the service's own address in ``region``. ``credentials`` are a key's id and
    secret, or None twice for botocore's own chain. ``answer_seconds`` bounds the wait for a reply.
    """
    meta = TableItem.Meta
    meta.table_name, meta.region, meta.host = table, region, endpoint
    meta.aws_access_key_id, meta.aws_secret_access_key = credentials
    meta.ttl_attribute, meta.advice = ttl_attribute, advice or Advice()
    meta.read_timeout_seconds = answer_seconds
    for model in kinds():
        model._connection = None


def where() -> str:
    """Where the table is, for people."""
    return TableItem.Meta.host or f"DynamoDB in {TableItem.Meta.region}"


def kinds(model: type[TableItem] = TableItem) -> list[type[TableItem]]:
    """The model and all models below it."""
    return [model, *(kind for child in model.__subclasses__() for kind in kinds(child))]
