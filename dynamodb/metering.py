"""A counter of the DynamoDB calls that a request makes, and of the capacity units in their replies.

A call counts once, however often botocore retries it. Error replies have no units: a write with a failed condition
counts as 0 units, although DynamoDB bills it like a successful one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import Any

READS = ("GetItem", "BatchGetItem", "Query", "Scan")

_lock = Lock()


@dataclass(slots=True)
class Usage:
    calls: int = 0
    read_units: float = 0
    write_units: float = 0


_usage: ContextVar[Usage | None] = ContextVar("usage", default=None)


@contextmanager
def measured() -> Iterator[Usage]:
    """Yield a Usage that counts all calls made in the block, and in threads that run with its context."""
    usage = Usage()
    token = _usage.set(usage)
    try:
        yield usage
    finally:
        _usage.reset(token)


def meter(client: Any) -> None:
    """Make a botocore client add each call to the Usage of the block (``measured``) that it's made in."""
    client.meta.events.register("after-call.dynamodb", _count, unique_id="metering")
    client.meta.events.register("after-call-error.dynamodb", _count, unique_id="metering-errors")


def _count(*, model: Any = None, parsed: dict[str, Any] | None = None, **_: Any) -> None:
    """Count a call. One that failed has no reply (``parsed``)."""
    usage = _usage.get()
    if usage is None:
        return
    consumed = (parsed or {}).get("ConsumedCapacity", [])
    tables = consumed if isinstance(consumed, list) else [consumed]
    units = sum(table.get("CapacityUnits", 0) for table in tables)
    with _lock:
        usage.calls += 1
        if model and model.name in READS:
            usage.read_units += units
        else:
            usage.write_units += units
