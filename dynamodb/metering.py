"""What a request asks of DynamoDB: calls, and the capacity units that they consumed.

PynamoDB asks for ReturnConsumedCapacity with every read and write; here it is added up as the replies come. A call
counts once, however often botocore tried it. An error's reply has no units: a write whose condition failed counts as a
call without any, though DynamoDB bills it as if it had been made.
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
    """Grows while it is measured."""

    calls: int = 0
    read_units: float = 0
    write_units: float = 0


_usage: ContextVar[Usage | None] = ContextVar("usage", default=None)


@contextmanager
def measured() -> Iterator[Usage]:
    """What is called in the block, and in threads that run with its context, is added to the usage that this gives."""
    usage = Usage()
    token = _usage.set(usage)
    try:
        yield usage
    finally:
        _usage.reset(token)


def meter(client: Any) -> None:
    """Make a botocore client add its calls to the usage that is being measured where they are made."""
    client.meta.events.register("after-call.dynamodb", _answered, unique_id="metering")
    client.meta.events.register("after-call-error.dynamodb", _failed, unique_id="metering-errors")


def _answered(*, model: Any, parsed: dict[str, Any], **_: Any) -> None:
    consumed = parsed.get("ConsumedCapacity", [])
    tables = consumed if isinstance(consumed, list) else [consumed]
    _add(reading=model.name in READS, units=sum(table.get("CapacityUnits", 0) for table in tables))


def _failed(**_: Any) -> None:
    _add(reading=True, units=0)


def _add(*, reading: bool, units: float) -> None:
    usage = _usage.get()
    if usage is None:
        return
    with _lock:
        usage.calls += 1
        if reading:
            usage.read_units += units
        else:
            usage.write_units += units
