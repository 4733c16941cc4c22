"""The cost of watching, from DynamoDB Local's ConsumedCapacity: it depends on games, not on watchers."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dynamodb import probes
from games.match import Status
from tests.support import crowd, meter
from tests.support.deployments import Deployment, deployed
from tests.support.many import game_of, put
from tests.support.moves import Table, events_of

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("games_table"),
    pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True),
]

A_MINUTE = 60
# One read a second at most: so at most this many reads in this many seconds, whenever they start.
SECONDS = 20


@pytest.fixture
def dynamodb(games_table: str) -> Iterator[meter.Handle]:
    with meter.metered(games_table) as handle:
        yield handle


@pytest.fixture
def site(dynamodb: meter.Handle, tmp_path: Path) -> Iterator[Deployment]:
    with deployed(dynamodb.address, tmp_path, workers=1) as site:
        have_looked(dynamodb)
        yield site


def have_looked(dynamodb: meter.Handle) -> None:
    """Wait until the one worker of ``web`` has probed its table, as it does at startup."""
    looks = sum(probe.method in ("get_item", "batch_get_item", "query") for probe in probes.probes())
    for _ in range(300):
        looks -= dynamodb.read().reads[probes.NEVER["S"]]
        if looks == 0:
            return
        time.sleep(0.1)
    pytest.fail("web has not looked at its table in half a minute")


def id_of(path: str) -> str:
    return path.split("/")[2]


def check_units(reading: meter.Reading) -> None:
    """Check that each read cost half a unit (one if consistent), and that the meter saw every read."""
    assert reading.unmetered == 0
    assert reading.read_units == sum(reading.reads.values()) / 2 + sum(reading.consistent.values())


def test_reads_do_not_depend_on_number_of_spectators(
    site: Deployment, dynamodb: meter.Handle, watchers: crowd.Handle, full: bool
) -> None:
    table = Table(site.web)
    few, many = table.set_up(2)
    opened = watchers.open(site.live.address, [events_of(few)] * 2 + [events_of(many)] * 1000, stays=True)
    assert opened == {200: 1002}
    dynamodb.read()
    with ThreadPoolExecutor(1) as background:
        playing = background.submit(table.play, [few, many], moves=5, pace=3)
        for _ in range(2 if full else 1):  # A move counts as recent for two minutes.
            began = time.monotonic()
            time.sleep(A_MINUTE if full else SECONDS)
            reading = dynamodb.read()
            seconds = time.monotonic() - began
            assert abs(reading.reads[id_of(few)] - reading.reads[id_of(many)]) <= 1
            # At most one a second. A busy machine reads late, and then less often.
            assert seconds * 0.4 < reading.reads[id_of(few)] <= seconds + 1
            check_units(reading)
        playing.result()
    told = [heard for heard in watchers.heard() if heard.name == "board" and heard.path == events_of(many)]
    assert {version for _, _, _, version, _ in told} == {"10", "11", "12", "13", "14", "15"}
    assert len(told) == 6 * 1000


def test_finished_game_is_read_once(site: Deployment, dynamodb: meter.Handle, watchers: crowd.Handle) -> None:
    [game_id] = put([game_of(Status.FINISHED, 1, "alice", "bob")])
    path = f"/games/{game_id}/events/"
    assert watchers.open(site.live.address, [path] * 50) == {200: 50}
    assert dynamodb.read().reads == {game_id: 1}
    assert watchers.present() == 0  # They got the result, and their streams ended.
    for _ in range(3):
        assert watchers.open(site.live.address, [path], since="20") == {204: 1}
        time.sleep(1)
    assert dynamodb.read().reads == {}


def test_lobby_reads_do_not_depend_on_number_of_tabs(
    site: Deployment, dynamodb: meter.Handle, watchers: crowd.Handle
) -> None:
    table = Table(site.web)
    table.set_up(1)
    for player, tabs in ((table.host, 1), (table.opponent, 100)):
        cookie = "; ".join(f"{name}={value}" for name, value in player.session.cookies.items())
        assert watchers.open(site.live.address, ["/events/"] * tabs, cookie=cookie) == {200: tabs}
    dynamodb.read()
    began = time.monotonic()
    time.sleep(10)
    reading = dynamodb.read()
    seconds = time.monotonic() - began
    # Every three seconds: a query of each index, and a read of the one board.
    assert abs(reading.reads[table.host.name] - reading.reads[table.opponent.name]) <= 2
    assert 0 < reading.reads.total() <= 2 * (seconds + 3)
    # DynamoDB Local charges nothing for an empty query; the service charges half a unit.
    assert reading.read_units <= reading.reads.total() / 2


def test_reads_of_idle_game_fall_to_four_a_minute(
    site: Deployment, dynamodb: meter.Handle, watchers: crowd.Handle, full: bool
) -> None:
    [path] = Table(site.web).set_up(1)
    watchers.open(site.live.address, [events_of(path)] * 20, stays=True)
    dynamodb.read()
    if not full:  # test_topics.py tests the schedule over hours.
        began = time.monotonic()
        time.sleep(5)
        reads = dynamodb.read().reads[id_of(path)]
        assert 2 <= reads <= time.monotonic() - began + 1
        return
    by_minute = []
    for _ in range(8):
        time.sleep(A_MINUTE)
        by_minute.append(dynamodb.read().reads[id_of(path)])
    assert max(by_minute) <= 60
    assert max(by_minute[2:]) <= 12
    assert max(by_minute[6:]) <= 4
