"""A proxy in front of DynamoDB Local that counts requests, and the units that replies report.

``metered`` starts it; its handle reads the meter, which resets with each reading.
"""

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.hops import Connection, Helper, Hop, carried_out, helper, read_message


@dataclass
class Reading:
    """The counts since the meter was last read.

    ``requests`` and ``units`` are by operation. ``reads`` are eventually consistent reads by key: a game's id, or for a
    query the player's name. A BatchGetItem of a hundred keys is one request and a hundred reads.
    """

    requests: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    consistent: Counter[str] = field(default_factory=Counter)
    unmetered: int = 0  # replies without ConsumedCapacity

    @property
    def read_units(self) -> float:
        return sum(units for name, units in self.units.items() if name in ("GetItem", "BatchGetItem", "Query", "Scan"))

    def note(self, operation: str, request: dict[str, Any], reply: dict[str, Any]) -> None:
        self.requests[operation] += 1
        for key, consistent in asked_for(operation, request):
            (self.consistent if consistent else self.reads)[key] += 1
        consumed = reply.get("ConsumedCapacity")
        parts = consumed if isinstance(consumed, list) else [consumed] if consumed else []
        self.units[operation] += sum(part["CapacityUnits"] for part in parts)
        self.unmetered += not parts and "__type" not in reply


def asked_for(operation: str, request: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield each key that a request reads, and whether the read is consistent."""
    if operation == "GetItem":
        yield request["Key"]["GameId"]["S"], request.get("ConsistentRead", False)
    elif operation == "BatchGetItem":
        for wanted in request["RequestItems"].values():
            yield from ((key["GameId"]["S"], wanted.get("ConsistentRead", False)) for key in wanted["Keys"])
    elif operation == "Query":
        yield next(iter(request["ExpressionAttributeValues"].values()))["S"], False


class Meter(Hop):
    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.reading = Reading()

    def told(self, line: str) -> str:
        reading, self.reading = self.reading, Reading()
        return json.dumps(vars(reading))

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: Connection) -> bool:
        request = await read_message(reader)
        reply = await carried_out(request, upstream)
        self.reading.note(operation_of(request), body_of(request), body_of(reply))
        writer.write(reply)
        await writer.drain()
        return True


def operation_of(request: bytes) -> str:
    """Return the operation, such as GetItem from the header ``X-Amz-Target: DynamoDB_20120810.GetItem``."""
    for line in request.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"x-amz-target":
            return value.decode().strip().rpartition(".")[2]
    return ""


def body_of(message: bytes) -> dict[str, Any]:
    body = message.partition(b"\r\n\r\n")[2]
    found: dict[str, Any] = json.loads(body) if body.startswith(b"{") else {}
    return found


class Handle(Helper):
    """The test's handle on the running meter."""

    def read(self) -> Reading:
        """Return the counts since the last call."""
        told = json.loads(self.ask("read"))
        counters = {name: Counter(each) for name, each in told.items() if isinstance(each, dict)}
        return Reading(**(told | counters))


@contextmanager
def metered(upstream: str) -> Iterator[Handle]:
    """Run a meter in front of ``upstream``, the address of a DynamoDB, until the block ends."""
    with helper("tests.support.meter", upstream) as process:
        yield Handle(process)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.meter",
        description="A proxy that meters what DynamoDB Local is asked for. It prints its address; each line of "
        "standard input is answered with what was metered since the last, as JSON.",
    )
    parser.add_argument("upstream", help="DynamoDB Local, e.g. http://127.0.0.1:8000")
    parser.add_argument("--port", type=int, default=0, help="where to listen (default a free port)")
    given = parser.parse_args()
    asyncio.run(Meter(given.upstream).run(given.port))


if __name__ == "__main__":
    main()
