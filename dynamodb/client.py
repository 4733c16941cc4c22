"""The one botocore client of all models: built once, warmed before threads meet it, and governed."""

from contextlib import suppress
from typing import Any

from dynamodb import metering, replies, retries
from dynamodb.errors import StoreUnavailable
from dynamodb.items import TableItem, kinds
from dynamodb.reasons import unavailable


def shared_client() -> Any:
    """botocore's own client, for the calls that PynamoDB lacks."""
    return TableItem._get_connection().connection.client


def warm_up() -> None:
    """Build one client, now, for all models: threads that met a cold one together would each build it, in seconds.

    It keeps the time bounds of ``dynamodb.retries``, takes no damaged reply, and is metered.
    """
    shared = shared_client()
    retries.govern(shared)
    replies.check(shared)
    metering.meter(shared)
    for model in kinds():
        model._get_connection().connection._client = shared


def keep_warm() -> None:
    """The same, unless it is done: without credentials PynamoDB builds a client for each call, which keeps no bounds.

    Nothing is done where there can be no client yet: ``startup`` says why.
    """
    with suppress(StoreUnavailable), unavailable():
        if not replies.are_checked(shared_client()):
            warm_up()
