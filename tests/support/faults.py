"""A proxy between the site and DynamoDB Local that injects faults of networks and busy services.

``faulty`` starts it; its handle changes the faults while the site runs. To start it by hand, see ``python -m
tests.support.faults --help``.
"""

import argparse
import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields

from tests.support.hops import Connection, Helper, Hop, carried_out, helper, read_message


@dataclass(frozen=True, slots=True)
class Faults:
    """The share of requests, 0 to 1, that meets each fault. The rest pass through, ``slow`` seconds late."""

    throttle: float = 0  # refused with ThrottlingException
    error: float = 0  # refused with InternalServerError
    close: float = 0  # the connection is closed before the request arrives
    lose: float = 0  # the request is carried out, but the connection is closed before the reply
    stall: float = 0  # held for two seconds: half of these before the request arrives, half after it is carried out
    hang: float = 0  # read, and never answered
    slow: float = 0  # seconds, no share: how late the requests arrive that meet no fault


# The mixture that the site must survive: a third of all requests fail.
STORM = Faults(throttle=0.10, error=0.10, close=0.05, lose=0.05, stall=0.02)
SILENCE = Faults(hang=1)
STALL_SECONDS = 2.0

ERRORS = {
    "throttle": (400, "com.amazon.coral.availability#ThrottlingException", "Rate exceeded."),
    "error": (500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "The server had an error."),
}


class Proxy(Hop):
    """A proxy to DynamoDB Local with faults. ``met`` counts them."""

    def __init__(self, upstream: str, faults: Faults, seed: int) -> None:
        super().__init__(upstream)
        self.faults = faults
        self.dice = random.Random(seed)
        self.met: Counter[str] = Counter()

    def told(self, line: str) -> str:
        self.faults = Faults(**json.loads(line))
        met = json.dumps(self.met)
        self.met.clear()
        return met

    def _next_fault(self) -> str:
        shares = asdict(self.faults)
        del shares["slow"]
        return self.dice.choices([*shares, "pass"], [*shares.values(), max(0, 1 - sum(shares.values()))])[0]

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: Connection) -> bool:
        request = await read_message(reader)
        fault = self._next_fault()
        self.met[fault] += 1
        if fault in ERRORS:
            writer.write(refusal(*ERRORS[fault]))
            return True
        if fault == "hang":
            await reader.read()  # until the client gives up
        if fault in ("hang", "close"):
            return False
        before, after = self._delays(fault)
        await asyncio.sleep(before)
        reply = await carried_out(request, upstream)
        if fault == "lose":
            return False
        await asyncio.sleep(after)
        writer.write(reply)
        await writer.drain()
        return True

    def _delays(self, fault: str) -> tuple[float, float]:
        """Return the delays before the request reaches DynamoDB and after it is carried out, in seconds."""
        if fault != "stall":
            return self.faults.slow, 0
        return self.dice.choice([(STALL_SECONDS, 0), (0, STALL_SECONDS)])


def refusal(status: int, kind: str, message: str) -> bytes:
    body = json.dumps({"__type": kind, "message": message}).encode()
    head = (
        f"HTTP/1.1 {status} Refused\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Handle(Helper):
    """The test's handle on the running proxy."""

    def set(self, faults: Faults) -> dict[str, int]:
        """Change the faults; return how many requests met each fault since the last change."""
        met: dict[str, int] = json.loads(self.ask(json.dumps(asdict(faults))))
        return met


@contextmanager
def faulty(upstream: str, faults: Faults = Faults(), *, seed: int = 0, port: int = 0) -> Iterator[Handle]:
    """Run a proxy in front of ``upstream``, the address of a DynamoDB, until the block ends."""
    with helper("tests.support.faults", upstream, "--seed", str(seed), "--port", str(port)) as process:
        handle = Handle(process)
        handle.set(faults)
        yield handle


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.faults",
        description="A proxy that injects faults before DynamoDB Local. It prints its address, then takes lines of "
        'JSON such as {"throttle": 0.1} from standard input, and answers each with what was met since the last.',
    )
    parser.add_argument("upstream", help="DynamoDB Local, e.g. http://127.0.0.1:8000")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of faults (default 0)")
    parser.add_argument("--port", type=int, default=0, help="where to listen (default a free port)")
    for field in fields(Faults):
        parser.add_argument(f"--{field.name}", type=float, default=0, metavar="NUMBER", help="default 0")
    given = vars(parser.parse_args())
    faults = Faults(**{field.name: given[field.name] for field in fields(Faults)})
    asyncio.run(Proxy(given["upstream"], faults, given["seed"]).run(given["port"]))


if __name__ == "__main__":
    main()
