"""Changes during play: rolling out new versions and secrets disturbs nobody."""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event

import pytest
import requests

from dynamodb.errors import StoreUnavailable
from games.storage import queries
from tests.live.conftest import watchers as watchers
from tests.rehearsal.bundles import Repository
from tests.rehearsal.conftest import Stage
from tests.support import crowd
from tests.support.crowd import ENDED, OPENED, REFUSED, Heard
from tests.support.moves import Made, Table, events_of, truth
from tests.support.players import Player
from tests.support.processes import comes_true

pytestmark = pytest.mark.process

GAMES = 30
# Not all nine: a finished game's stream would not reconnect.
MOVES = 8
STREAMS = 300
DRAIN_SECONDS = 30


def test_rolling_deployment_under_play_loses_no_move(
    site: Stage, repository: Repository, configuration: str, watchers: crowd.Handle, report: Callable[[str], None]
) -> None:
    repository.change("games/static/games/site.css", ":root", "/* the second version */\n:root")
    second = repository.bundle("second", configuration)
    table = Table(site.address)
    paths = table.set_up(GAMES)
    watched = [events_of(path) for path in paths] * (STREAMS // GAMES)
    assert watchers.open(site.address, watched, stays=True) == {200: STREAMS}
    with ThreadPoolExecutor(1) as background, asking_all_the_time() as took:
        playing = background.submit(table.play, paths, moves=MOVES, pace=5)
        for instance in site.instances:
            with site.balancer.without(instance.name):
                instance.deploy(second)
        made = playing.result()
    style = requests.get(f"{site.address}/static/games/site.css", timeout=60)
    assert "the second version" in style.text
    check_moves(table, made, truth(paths), max(took))
    heard = what_brought_up_to_date(watchers, truth(paths))
    longest = max(max(instance.drained) for instance in site.instances)
    assert longest < DRAIN_SECONDS
    report(
        f"two instances replaced under play: {len(made)} moves, none refused or lost; SIGTERM "
        f"took {longest:.1f} s at most; {STREAMS} streams were back after {max(away(heard)):.1f} s at most; "
        f"DynamoDB took {max(took):.2f} s"
    )


@contextmanager
def asking_all_the_time() -> Iterator[list[float]]:
    """Read from DynamoDB again and again while the block runs; yield the seconds that each read takes."""
    took = [0.0]
    over = Event()

    def ask() -> None:
        while not over.wait(0.1):
            began = time.monotonic()
            with suppress(StoreUnavailable):
                queries.games([str(uuid.uuid4())])
            took.append(time.monotonic() - began)

    with ThreadPoolExecutor(1) as background:
        background.submit(ask)
        try:
            yield took
        finally:
            over.set()


def check_moves(table: Table, made: list[Made], stored: dict[str, str], slowest: float) -> None:
    """Check that every move is stored, and was acknowledged at the first try.

    A failure tells how long DynamoDB's ``slowest`` answer took meanwhile: a busy machine may keep the site waiting.
    """
    assert not table.refused, (table.refused, slowest)
    assert len(made) == MOVES * GAMES
    assert stored == {move.path: "18" for move in made}


def what_brought_up_to_date(watchers: crowd.Handle, stored: dict[str, str]) -> list[Heard]:
    """Wait until all streams have shown what is stored. Return what they heard, after checking it."""
    true = {events_of(path): version for path, version in stored.items()}

    def outdated() -> list[tuple[str, str]]:
        return [(path, version) for path, version in watchers.shown() if true[path] != version]

    current = comes_true(lambda: not outdated())
    heard = watchers.heard()
    refused = Counter(each.name for each in heard if each.name.startswith(REFUSED))
    assert current, (outdated(), refused)
    # The balancer leaves out an instance that is being replaced, so nginx never answers for a process that isn't there.
    assert set(refused) <= {f"{REFUSED}503"}
    crowd.check_order(heard)
    return heard


def away(heard: list[Heard]) -> Iterator[float]:
    """Yield how many seconds each stream that ended took to reconnect."""
    ended: dict[int, float] = {}
    for watcher, _, name, _, at in heard:
        if name.startswith(ENDED):
            ended[watcher] = at
        elif name == OPENED and watcher in ended:
            yield at - ended.pop(watcher)


def test_secret_rotation_logs_nobody_out(site: Stage) -> None:
    player = Player(site.address)
    path = player.invite("")
    opponent = Player(site.address)
    position = opponent.insist("POST", f"{path}accept/").json()["position"]
    fresh = str(uuid.uuid4())
    steps = [
        {"SECRET_KEY": site.secret, "SECRET_KEY_FALLBACKS": fresh},
        {"SECRET_KEY": fresh, "SECRET_KEY_FALLBACKS": site.secret},
    ]
    players = [player, opponent]
    for square, step in enumerate(steps):
        for instance in site.instances:
            with site.balancer.without(instance.name):
                instance.set_properties(CONFIG_FILE="beanstalk.config", **step)
            players.append(Player(site.address))
            for other in site.instances:
                check_that_all_are_known(other.address, players)
        # Both the position and the form's token were signed before the step.
        answer = players[1 - square].move(path, square, position)
        assert answer.status_code == 200
        position = answer.json()["position"]


def check_that_all_are_known(address: str, players: list[Player]) -> None:
    for player in players:
        page = player.session.get(address, headers={"Accept": "text/html"}, timeout=60)
        assert player.name in page.text
