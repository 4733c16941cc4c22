"""The botocore client that all models share: built once, before threads need it, with our timeouts and checks."""

from contextlib import suppress
from typing import Any

from dynamodb import metering, replies, retries
from dynamodb.errors import StoreUnavailable
from dynamodb.items import TableItem, kinds
from dynamodb.reasons import unavailable


def shared_client() -> Any:
    """Return the botocore client, for calls that PynamoDB doesn't offer."""
    return TableItem._get_connection().connection.client


def warm_up() -> None:
    """Build one client for all models now. Otherwise each thread that needs one at the start builds it, in seconds.

    The client keeps the time limits of ``dynamodb.retries``, rejects damaged replies, and is metered.
    """
    shared = shared_client()
    retries.govern(shared)
    replies.check(shared)
    metering.meter(shared)
    # botocore would build this header anew, twice for each call.
    shared.meta.config._supplied_user_agent = shared._user_agent_creator.to_string()
    for model in kinds():
        model._get_connection().connection._client = shared


def keep_warm() -> None:
    """Call ``warm_up`` if needed: without credentials PynamoDB builds a client per call, which has no time limits.

    Do nothing if no client can be built yet: ``startup`` reports why.
    """
    with suppress(StoreUnavailable), unavailable():
        if not replies.are_checked(shared_client()):
            warm_up()
