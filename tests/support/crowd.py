"""Thousands of simulated browsers that watch games, in a separate process.

``gathered`` starts the process; its handle opens streams, returns the events they received, and closes them.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socket import socket
from typing import Any, NamedTuple

from tests.support import abuse
from tests.support.hops import Helper, helper
from tests.support.streams import Event, Stream, place, request

# The number that connect at the same time.
AT_ONCE = 200
ANSWER_SECONDS = 30


class Heard(NamedTuple):
    """One thing a watcher received: an event by name, or OPENED, ENDED or REFUSED; ``at`` is time.monotonic()."""

    watcher: int
    path: str
    name: str
    id: str
    at: float


# REFUSED is followed by the status.
OPENED, ENDED, REFUSED = "(opened)", "(ended)", "(refused) "


def check_order(heard: list[Heard]) -> None:
    """Check that no watcher received an older version after a newer one, or the same version twice."""
    shown: dict[int, int] = {}
    for watcher, _, name, version, _ in heard:
        if name == "board":
            assert int(version) > shown.get(watcher, 0)
            shown[watcher] = int(version)


@dataclass
class Watcher:
    """A browser with a game's page open. One that ``stays`` reconnects whenever its stream ends.

    Like the page (stream.js) it waits for the server's ``retry`` or ``Retry-After`` time, and gives up only on 204.
    What else it was answered stands in what was heard, so that a test can say which answers it expects.
    """

    number: int
    address: str
    path: str
    cookie: str = ""
    since: str = ""
    forwarded: str = ""
    stays: bool = False
    retry: float = 3.0
    status: int = 0
    opened: int = 0
    comments: int = 0
    stream: Stream | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self, log: list[Heard]) -> None:
        asked = request(self.address, self.path, cookie=self.cookie, since=self.since, forwarded=self.forwarded)
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: Connection(self, log, asked), *place(self.address)
            )
        except OSError:
            self.status = 0
            self.answered.set()
            self.come_back(log)

    def come_back(self, log: list[Heard]) -> None:
        self.stream = None
        if self.stays:
            loop = asyncio.get_running_loop()
            loop.call_later(self.retry, lambda: loop.create_task(self.connect(log)))


class Connection(Stream):
    __slots__ = ("_log", "_watcher")

    def __init__(self, watcher: Watcher, log: list[Heard], asked: bytes) -> None:
        super().__init__(asked, watcher.since)
        self.parser.retry = int(watcher.retry * 1000)
        self._watcher = watcher
        self._log = log
        watcher.stream = self

    def heard(self, event: Event) -> None:
        self._watcher.since = event.id
        self._log.append(Heard(self._watcher.number, self._watcher.path, event.name, event.id, event.at))

    def answered(self) -> None:
        watcher = self._watcher
        watcher.status = self.status
        watcher.opened += self.status == 200
        name = OPENED if self.status == 200 else f"{REFUSED}{self.status}"
        self._log.append(Heard(watcher.number, watcher.path, name, watcher.since, time.monotonic()))
        watcher.stays = watcher.stays and self.status != 204
        watcher.answered.set()

    def over(self) -> None:
        watcher = self._watcher
        watcher.retry = float(self.headers.get("retry-after", self.parser.retry / 1000))
        watcher.comments += self.parser.comments
        name = ENDED if self.finished else f"{ENDED} without a word"
        self._log.append(Heard(watcher.number, watcher.path, name, watcher.since, time.monotonic()))
        watcher.answered.set()
        watcher.come_back(self._log)


class Crowd:
    """The state of the process. Each command is a method with the arguments of the handle's."""

    def __init__(self) -> None:
        self._watchers: list[Watcher] = []
        self._log: list[Heard] = []
        self._flood: asyncio.Task[None] | None = None
        self._held: list[socket] = []
        self._flooded: Counter[str] = Counter()

    async def open(self, address: str, paths: list[str], each_its_address: bool, **options: Any) -> Any:
        start = len(self._watchers)
        new = [Watcher(start + number, address, path, **options) for number, path in enumerate(paths)]
        self._watchers += new
        doors = asyncio.Semaphore(AT_ONCE)

        async def come(watcher: Watcher) -> None:
            async with doors:
                if each_its_address:
                    watcher.forwarded = f"10.{watcher.number >> 16}.{watcher.number >> 8 & 255}.{watcher.number & 255}"
                await watcher.connect(self._log)
                with suppress(TimeoutError):
                    await asyncio.wait_for(watcher.answered.wait(), ANSWER_SECONDS)

        await asyncio.gather(*map(come, new))
        return Counter(watcher.status for watcher in new)

    async def heard(self) -> Any:
        log = self._log[:]
        self._log.clear()
        return log

    async def shown(self) -> Any:
        return [[watcher.path, watcher.since] for watcher in self._watchers]

    async def comments(self) -> Any:
        return [
            watcher.comments + (watcher.stream.parser.comments if watcher.stream else 0) for watcher in self._watchers
        ]

    async def present(self) -> Any:
        return sum(1 for watcher in self._watchers if watcher.stream and watcher.stream.status == 200)

    async def leave(self) -> Any:
        for watcher in self._watchers:
            watcher.stays = False
            if watcher.stream:
                watcher.stream.leave()
        left = len(self._watchers)
        self._watchers = []
        return left

    async def come_and_go(self, address: str, path: str, count: int, at_once: int) -> Any:
        return await abuse.come_and_go(address, path, count, at_once)

    async def hold(self, address: str, path: str, kinds: dict[str, int]) -> Any:
        self._held += await abuse.hold(address, path, kinds)

    async def flood(self, address: str, path: str) -> Any:
        self._flooded.clear()
        self._flood = asyncio.create_task(abuse.flood(address, path, self._flooded))

    async def ebb(self) -> Any:
        assert self._flood
        self._flood.cancel()
        await asyncio.wait([self._flood])
        return self._flooded


class Handle(Helper):
    """The test's handle on the crowd."""

    def open(
        self,
        address: str,
        paths: list[str],
        *,
        cookie: str = "",
        since: str = "",
        forwarded: str = "",
        stays: bool = False,
        each_its_address: bool = True,
    ) -> dict[int, int]:
        """Open a watcher for each path; return the number of watchers by status, 0 for none.

        Each has its own client address, as nginx would forward it, unless they share one given as ``forwarded``.
        """
        options = {"cookie": cookie, "since": since, "forwarded": forwarded, "stays": stays}
        apart = each_its_address and not forwarded
        told = self._do("open", address=address, paths=paths, each_its_address=apart, **options)
        return {int(status): count for status, count in told.items()}

    def heard(self) -> list[Heard]:
        """Return what all watchers received since the last call, in order."""
        return [Heard(*each) for each in self._do("heard")]

    def shown(self) -> list[tuple[str, str]]:
        """Return the path and the version that each watcher's page shows."""
        return [(path, version) for path, version in self._do("shown")]

    def comments(self) -> list[int]:
        """Return the number of comments that each watcher got."""
        found: list[int] = self._do("comments")
        return found

    def present(self) -> int:
        """Return the number of open streams."""
        return int(self._do("present"))

    def leave(self) -> int:
        """Close all connections; return the number of watchers."""
        return int(self._do("leave"))

    def come_and_go(self, address: str, path: str, count: int, at_once: int = 100) -> dict[str, int]:
        """Open and close that many streams, in each of abuse.WAYS in turn; return the count by way and outcome."""
        ways: dict[str, int] = self._do("come_and_go", address=address, path=path, count=count, at_once=at_once)
        return ways

    def hold(self, address: str, path: str, kinds: dict[str, int]) -> None:
        """Open connections of these kinds (abuse.IDLE), by number, and hold them until the process ends."""
        self._do("hold", address=address, path=path, kinds=kinds)

    def flood(self, address: str, path: str) -> None:
        """Start connecting as fast as possible without reading."""
        self._do("flood", address=address, path=path)

    def ebb(self) -> dict[str, int]:
        """End the flood; return the number of connections of each kind."""
        kinds: dict[str, int] = self._do("ebb")
        return kinds

    def _do(self, command: str, **arguments: Any) -> Any:
        return json.loads(self.ask(json.dumps([command, arguments])))


@contextmanager
def gathered() -> Iterator[Handle]:
    with helper("tests.support.crowd") as process:
        yield Handle(process)


async def obey(told: Callable[[str, dict[str, Any]], Awaitable[Any]]) -> None:
    """Answer each line of standard input until there are no more."""
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await told(*json.loads(line))), flush=True)


async def main() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = Crowd()
    await obey(lambda command, arguments: getattr(crowd, command)(**arguments))


if __name__ == "__main__":
    asyncio.run(main())
