"""Thousands of streams: no leaks, nothing lost in a restart, and clear limits. Timings are in bench/live.py."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support import crowd, usage
from tests.support.deployments import Deployment, deployed
from tests.support.moves import Table, events_of, truth
from tests.support.processes import comes_true

pytestmark = [
    pytest.mark.process,
    pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True),
]


@pytest.fixture
def site(games_table: str, tmp_path: Path) -> Iterator[Deployment]:
    with deployed(games_table, tmp_path, workers=1) as site:
        yield site


def test_thousands_of_streams_leak_no_memory_or_descriptors(
    site: Deployment, watchers: crowd.Handle, full: bool, report: Callable[[str], None]
) -> None:
    [path] = Table(site.web).set_up(1)
    live, events, count = site.live.pid, events_of(path), 20_000 if full else 2000
    watchers.come_and_go(
        site.live.address, events, 2000
    )  # Warm up: memory grows to what this many need at once, and stays.
    assert comes_true(lambda: usage.descriptors(live) < 30)
    descriptors, megabytes = usage.descriptors(live), usage.resident_mb(live)
    watchers.hold(site.live.address, events, {"never reads": 20})
    came = watchers.come_and_go(site.live.address, events, count)
    assert came["leaves, 200"] == came["resets, 200"] == count / 5, came
    assert comes_true(lambda: usage.descriptors(live) <= descriptors)
    grown = usage.resident_mb(live) - megabytes
    report(f"{count:,} streams came and went: {descriptors} descriptors as before, {grown:+.1f} MB")
    assert grown < 16  # 2,000 open streams would take 40 MB.


def test_silent_connections_are_closed(site: Deployment, watchers: crowd.Handle) -> None:
    [path] = Table(site.web).set_up(1)
    before = usage.descriptors(site.live.pid)
    watchers.hold(site.live.address, events_of(path), {"says half of it": 20, "says nothing": 20})
    assert comes_true(lambda: usage.descriptors(site.live.pid) >= before + 40)
    assert comes_true(lambda: usage.descriptors(site.live.pid) <= before)


def test_streams_miss_nothing_across_restart(
    site: Deployment, watchers: crowd.Handle, full: bool, report: Callable[[str], None]
) -> None:
    table, streams = Table(site.web), 2000 if full else 300
    paths = table.set_up(30)
    watched = [events_of(path) for path in paths] * (streams // 30)
    assert watchers.open(site.live.address, watched, stays=True) == {200: len(watched)}
    with ThreadPoolExecutor(1) as background:
        playing = background.submit(table.play, paths, moves=8, pace=2)
        time.sleep(4)
        site.live.restart()
        started = time.monotonic()
        assert comes_true(lambda: watchers.present() == len(watched))
        report(f"{len(watched):,} streams were back {time.monotonic() - started:.1f} s after a restart of live")
        playing.result()
    true = {events_of(path): version for path, version in truth(paths).items()}
    assert comes_true(lambda: all(true[path] == version for path, version in watchers.shown()))
    assert set(true.values()) == {"18"}
    crowd.check_order(watchers.heard())


def test_stream_limits_are_503_with_reason(games_table: str, tmp_path: Path, watchers: crowd.Handle) -> None:
    with deployed(games_table, tmp_path, "streams_per_process = 12", "streams_per_address = 5", workers=1) as site:
        [path] = Table(site.web).set_up(1)
        url = f"{site.live.address}{events_of(path)}"
        ask = [events_of(path)] * 8
        assert watchers.open(site.live.address, ask, forwarded="192.0.2.1") == {200: 5, 503: 3}
        check_refusal(url, "192.0.2.1", "Your address")
        assert watchers.open(site.live.address, ask, forwarded="2001:db8::7") == {200: 5, 503: 3}
        assert watchers.open(site.live.address, ask, each_its_address=True) == {200: 2, 503: 6}
        check_refusal(url, "192.0.2.3", "This server")
        watchers.leave()
        assert comes_true(lambda: watchers.open(site.live.address, ask, forwarded="192.0.2.1")[200] == 5)


def check_refusal(url: str, forwarded: str, whose: str) -> None:
    answer = requests.get(url, headers={"X-Forwarded-For": forwarded}, timeout=60)
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text.startswith(whose)
    assert len(answer.text.splitlines()) == 1
