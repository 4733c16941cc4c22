"""Stress for the live process: a flood of streams, thousands that come and go, and restarts."""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bench.site import Site, percentiles, running
from tests.support import crowd, usage
from tests.support.crowd import OPENED
from tests.support.hops import read_message
from tests.support.moves import events_of, truth
from tests.support.processes import comes_true
from tests.support.streams import place

READERS = 8  # clients that load pages at the same time
WHILE_SECONDS = 10


def flood(rounds: int) -> None:
    """Print pages a second, by turns without and with a flood. The flooding process has the lowest priority."""
    with running() as site, crowd.gathered() as flooders:
        os.setpriority(os.PRIO_PROCESS, flooders.pid, 19)
        [path] = site.table.set_up(1)
        live = site.deployment.live
        for _ in range(rounds):
            print(f"  no flood:  {pages_a_second(site.deployment.web, path):6.0f} pages/s", flush=True)
            flooders.flood(live.address, events_of(path))
            time.sleep(2)
            pages: list[float] = []
            [busy] = usage.cpu_percent([live.pid], lambda: pages.append(pages_a_second(site.deployment.web, path)))  # noqa: B023
            held = usage.descriptors(live.pid)
            kinds = flooders.ebb()
            rate = sum(kinds.values()) / (WHILE_SECONDS + 2)
            print(f"  flood:     {pages[0]:6.0f} pages/s; {rate:.0f} connections/s {kinds}", end="")
            print(f"; live: {busy:.0f} % of a core, {usage.resident_mb(live.pid):.0f} MB, {held:,} descriptors")
            time.sleep(5)


def pages_a_second(web: str, path: str, cookie: str = "") -> float:
    """Return how often the site at ``web`` answers ``path`` to READERS at once, who have the cookie."""
    return asyncio.run(_pages_a_second(web, path, cookie))


async def _pages_a_second(web: str, path: str, cookie: str) -> float:
    end, answered = time.monotonic() + WHILE_SECONDS, 0
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()

    async def read() -> None:
        nonlocal answered
        reader, writer = await asyncio.open_connection(*place(web))
        while time.monotonic() < end:
            writer.write(asked)
            assert (await read_message(reader)).startswith(b"HTTP/1.1 200")
            answered += 1
        writer.close()

    await asyncio.gather(*(read() for _ in range(READERS)))
    return answered / WHILE_SECONDS


def soak(streams: int) -> None:
    """Print memory and descriptors before and after. The first tenth leaves what that many need at once."""
    with running() as site:
        [path] = site.table.set_up(1)
        live, address = site.deployment.live.pid, site.deployment.live.address

        def state() -> str:
            comes_true(lambda: usage.descriptors(live) < 30, 60)
            return f"{usage.resident_mb(live):6.1f} MB, {usage.descriptors(live)} descriptors"

        print(f"  new:                  {state()}")
        print(f"  after the first {streams // 10:6,}: {came_and_went(site, address, path, streams // 10)} {state()}")
        for _ in range(2):
            print(f"  after {streams:6,} more:    {came_and_went(site, address, path, streams)} {state()}", flush=True)


def came_and_went(site: Site, address: str, path: str, streams: int) -> str:
    start = time.monotonic()
    site.watchers.come_and_go(address, events_of(path), streams)
    return f"({time.monotonic() - start:.0f} s)"


def restart(streams: int) -> None:
    """Print how long after the signal the streams were back, with a move every 3 s in each of 40 games."""
    print(f"  {streams:,} streams; seconds from the signal: p50, p95, p99, last")
    with running() as site:
        live = site.deployment.live
        ways: dict[str, Callable[[], object]] = {
            "SIGTERM and a new start": live.restart,
            "SIGHUP": live.reload,
        }
        for way, act in ways.items():
            paths = site.table.set_up(40)
            site.open(live.address, paths, streams)
            site.watchers.heard()
            with ThreadPoolExecutor(1) as background:
                playing = background.submit(site.table.play, paths, moves=8, pace=3)
                time.sleep(3)
                began = time.monotonic()
                act()
                playing.result()
            comes_true(lambda: site.watchers.present() == streams, 30)
            time.sleep(2)
            heard = site.watchers.heard()
            back = [event.at - began for event in heard if event.name == OPENED]
            print(f"  {way:24} {percentiles(back, 1):>32} s; {missed(site, paths)}", flush=True)
            site.watchers.leave()


def missed(site: Site, paths: list[str]) -> str:
    true = {f"{events_of(path)}?looking=1": version for path, version in truth(paths).items()}
    behind = sum(true[path] != version for path, version in site.watchers.shown())
    return f"{behind} streams out of date at the end, {site.watchers.present():,} present"
