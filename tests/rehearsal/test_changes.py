"""Changes during play: rolling out new versions and secrets disturbs nobody."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

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
    with ThreadPoolExecutor(1) as background:
        playing = background.submit(table.play, paths, moves=MOVES, pace=5)
        for instance in site.instances:
            with site.balancer.without(instance.name):
                instance.deploy(second)
        made = playing.result()
    style = requests.get(f"{site.address}/static/games/site.css", timeout=60)
    assert "the second version" in style.text
    check_moves(table, made, truth(paths))
    true = {events_of(path): version for path, version in truth(paths).items()}

    def outdated() -> list[tuple[str, str]]:
        return [(path, version) for path, version in watchers.shown() if true[path] != version]

    current = comes_true(lambda: not outdated())
    heard = watchers.heard()
    refused = Counter(each.name for each in heard if each.name.startswith(REFUSED))
    assert current, (outdated(), refused)
    # The balancer leaves out an instance that is being replaced, so nginx never answers for a process that isn't there.
    assert set(refused) <= {f"{REFUSED}503"}
    crowd.check_order(heard)
    longest = max(max(instance.drained) for instance in site.instances)
    assert longest < DRAIN_SECONDS
    report(
        f"two instances replaced under play: {len(made)} moves, none refused or lost; SIGTERM took {longest:.1f} s at "
        f"most; {STREAMS} streams were back after {max(away(heard)):.1f} s at most"
    )


def check_moves(table: Table, made: list[Made], stored: dict[str, str]) -> None:
    """Check that every move was acknowledged at the first try (anything else would have raised) and is stored."""
    assert not table.refused, table.refused
    assert len(made) == MOVES * GAMES
    assert stored == {move.path: "18" for move in made}


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
