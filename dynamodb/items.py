"""The base class of all items in the table, the table's location, and what its project advises the operator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from pynamodb.attributes import Attribute, NumberAttribute
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.expressions.condition import Condition, Not
from pynamodb.models import Model

from dynamodb import retries

RawItem: TypeAlias = dict[str, dict[str, Any]]
BLANK = " "


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice in our messages, which a project can replace. ``consequences``: by action, what breaks if it's refused."""

    make_table: str = "create it"
    correct_table: str = "correct the region or the name"
    correct_endpoint: str = "correct the region or the endpoint"
    allow_action: str = "allow it in the role's policy"
    make_table_elsewhere: str = "Or create the table with credentials that allow it."
    other_table: str = "This table can't be used: choose another."
    index_missing: str = "Queries fail: create the index, or choose another table."
    index_lacks: str = "Queries lack these attributes: recreate the index, or choose another table."
    index_projects_all: str = "It works, but each write of any other attribute costs an extra unit in each index."
    set_ttl: str = "call UpdateTimeToLive"
    consequences: Mapping[str, str] = field(default_factory=dict)


class TableItem(Model):
    """The base of every item. A project's subclass adds the key, but no ``Meta``: ``bind`` fills in this one."""

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
        max_pool_connections = 128  # enough for 64 threads that make two calls at once

    @classmethod
    def find(cls, key: str, *, consistent: bool = False) -> Self | None:
        """Return the item with this key, or None."""
        try:
            return cls.get(key, consistent_read=consistent)
        except cls.DoesNotExist:
            return None


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
    """Make every model use this table. This sends nothing yet.

    ``endpoint`` is a URL, or None for AWS's own endpoint in ``region``. ``credentials`` are an access key's id and
    secret, or twice None for botocore's own chain. ``answer_seconds`` is the longest wait for a reply.
    """
    meta = TableItem.Meta
    meta.table_name, meta.region, meta.host = table, region, endpoint
    meta.aws_access_key_id, meta.aws_secret_access_key = credentials
    meta.ttl_attribute, meta.advice = ttl_attribute, advice or Advice()
    meta.read_timeout_seconds = answer_seconds
    for model in kinds():
        model._connection = None


def where() -> str:
    return TableItem.Meta.host or f"DynamoDB in {TableItem.Meta.region}"


def kinds(model: type[TableItem] = TableItem) -> list[type[TableItem]]:
    """Return the model and all its subclasses, at any depth."""
    return [model, *(kind for child in model.__subclasses__() for kind in kinds(child))]


def present(item: RawItem) -> RawItem:
    """Return the item without the attributes that are ``absent``."""
    return {
        name: value
        for name, value in item.items()
        if "NULL" not in value and value.get("S", "S") > BLANK and ("N" not in value or float(value["N"]) > 0)
    }


def absent(attribute: Attribute[Any]) -> Condition:
    """Whether the attribute isn't there, or holds what others write instead: NULL, an empty string, a blank, or 0."""
    # A comparison with a missing attribute, or with a value of another type, is false, so NOT makes it true.
    nothing: Any = 0 if isinstance(attribute, NumberAttribute) else BLANK
    return Not(attribute > nothing)
