"""What an instance holds: start-up, requests a second, memory and games in play, also with a small instance's CPU.

The Procfile's processes run behind nginx with this project's configuration, and share a control group that gives them
no more than a burstable instance's baseline: 10 or 20 % of two cores
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html). DynamoDB Local and the
clients run on the same cores, outside it. Only root may make a control group.
"""

import argparse
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import django
import requests

from bench.share import Share
from bench.site import cookie_of, machine
from bench.storms import WHILE_SECONDS, pages_a_second
from dynamodb import provisioning
from games.match import Status
from tests.support import crowd, usage
from tests.support.engines import dynamodb_local, free_port
from tests.support.instances import Instance, instance, started
from tests.support.many import game_of, put
from tests.support.moves import Made, Table, events_of
from tests.support.players import Player
from tests.support.processes import children_of
from tictactoe_site import config, table

SHARES = {"two cores": None, "t3.small": 40, "t3.micro": 20}  # percent of one core
ANSWERS = {"web": "/healthz/", "live": "/events/"}  # live refuses a visitor, which is an answer
RUNNING, FINISHED = 15, 5  # the lobby's games
BUSY = 100  # games for moves without a pause
REQUESTS = 10_000
MOVES, PACE = 3, 10.0  # games in play: so many moves of each, one every so many seconds
SIZES = (25, 50, 100, 200, 400)
SLOW_SECONDS = 1.0


@dataclass
class Figures:
    """What one share of the CPU is good for.

    ``web_mb`` is of the master and each worker, when new and after REQUESTS pages. ``p95`` is the 95th percentile of
    a move's seconds, by the number of games in play.
    """

    start_s: dict[str, float] = field(default_factory=dict)
    lobbies: float = 0
    moves: float = 0
    web_mb: list[list[float]] = field(default_factory=list)
    live_mb: float = 0
    p95: dict[int, float] = field(default_factory=dict)


def start_seconds(name: str, share: Share, endpoint: str) -> float:
    """Return how long a process of the Procfile takes until its first answer."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        began = time.monotonic()
        with share.starting():
            running.enter_context(started(name, port, endpoint, Path(folder)))
        requests.get(f"http://127.0.0.1:{port}{ANSWERS[name]}", timeout=60)
        return time.monotonic() - began


@contextmanager
def serving(share: Share, endpoint: str) -> Iterator[Instance]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        with share.starting():
            served = running.enter_context(instance(endpoint, Path(folder), limited=False))
        yield served


def resident(served: Instance, name: str) -> list[float]:
    master = served.processes[name].pid
    return [usage.resident_mb(pid) for pid in (master, *children_of(master))]


def lobby_of(player: Player) -> str:
    """Give the player games; return the cookie."""
    put(game_of(Status.IN_PROGRESS, second, player.name, "other") for second in range(RUNNING))
    put(game_of(Status.FINISHED, second, player.name, "other") for second in range(FINISHED))
    return cookie_of(player)


def moves_a_second(players: Table) -> float:
    made = players.play(players.set_up(BUSY), moves=8, pace=0)
    return len(made) / (max(move.acknowledged for move in made) - min(move.posted for move in made))


def p95_of_games(players: Table, served: Instance, games: int) -> float:
    """Play that many games at once, each before the eyes of both players; return p95 of a move's seconds.

    It's infinite if nginx has too few connections for the streams.
    """
    paths = players.set_up(games)
    with crowd.gathered() as watchers:
        for player in (players.host, players.opponent):
            watched = [f"{events_of(path)}?looking=1" for path in paths]
            opened = watchers.open(served.address, watched, cookie=cookie_of(player), stays=True)
            if opened != {200: games}:
                return math.inf
        made: list[Made] = players.play(paths, moves=MOVES, pace=PACE)
    return statistics.quantiles([move.acknowledged - move.posted for move in made], n=20)[-1]


def measured(share: Share, endpoint: str) -> Figures:
    found = Figures({name: start_seconds(name, share, endpoint) for name in ANSWERS})
    with serving(share, endpoint) as served:
        players, cookie = Table(served.address), lobby_of(Player(served.address))
        found.web_mb.append(resident(served, "web"))
        found.lobbies = pages_a_second(served.address, "/", cookie)
        found.moves = moves_a_second(players)
        if share.percent is None:
            for _ in range(int(REQUESTS / found.lobbies / WHILE_SECONDS) + 1):
                pages_a_second(served.address, "/", cookie)
        found.web_mb.append(resident(served, "web"))
        for games in SIZES:
            found.p95[games] = p95_of_games(players, served, games)
            if found.p95[games] > SLOW_SECONDS:
                break
        found.live_mb = sum(resident(served, "live"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("shares", nargs="*", metavar="share", help=f"of {', '.join(SHARES)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    chosen = parser.parse_args()
    before, figures = machine(), {}
    os.environ["WEB_CONCURRENCY"] = "2"  # as .ebextensions sets it
    with dynamodb_local() as endpoint:
        table.bind(config.for_endpoint(endpoint, environ={}), patient=True)
        provisioning.create(lambda line: None)
        for name in chosen.shares or SHARES:
            with Share(SHARES[name]) as share:
                figures[name] = measured(share, endpoint)
    if chosen.json:
        print(json.dumps({name: asdict(each) for name, each in figures.items()}))
        return
    print(before)
    for name, each in figures.items():
        print(f"\n{name}")
        print("  first answer after  " + ", ".join(f"{which} {s:.1f} s" for which, s in each.start_s.items()))
        print(f"  lobbies, moves      {each.lobbies:.0f} and {each.moves:.0f} a second")
        for when, megabytes in zip(("new", "later"), each.web_mb, strict=True):
            print(f"  web, {when:14} {' + '.join(f'{mb:.0f}' for mb in megabytes)} MB")
        print(f"  live                {each.live_mb:.0f} MB")
        for games, seconds in each.p95.items():
            p95 = f"p95 of a move {seconds * 1000:.0f} ms" if seconds < math.inf else "too many streams for nginx"
            print(f"  {games:4} games in play  {p95}")


if __name__ == "__main__":
    django.setup()
    main()
