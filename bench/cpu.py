"""The CPU time of each kind of request, beside its floor: a Django view that makes the same DynamoDB calls.

Both run in this process, in turn, on DynamoDB Local. The floor has no middleware; it sends the same calls by botocore,
with the same conditions on the same item, and returns a constant. Times are medians in milliseconds. Events are
measured in a live process that runs beside: all its CPU time while games are played, less that of its idle time.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from cProfile import Profile
from itertools import chain
from pathlib import Path

import django
from django.conf import settings

from bench import plot, profile
from bench.inprocess import Player, Request, Site
from bench.site import machine, running
from dynamodb import provisioning
from dynamodb.client import warm_up
from games import rules, signing
from games.match import Status
from games.storage import store
from tests.support import usage
from tests.support.engines import dynamodb_local
from tests.support.many import game_of, put
from tests.support.moves import A_TIE
from tests.support.pages import HTMX, new_game_in, position_in
from tests.support.processes import comes_true
from tictactoe_site import config, table

EVENTS = 8  # in a game
GAMES = {2: 40, 100: 4}  # by the number of viewers of each


def pages(site: Site) -> dict[str, tuple[Player, str]]:
    """Return what to get, by its name in the table."""
    empty, busy, old = (Player(site, name) for name in ("empty", "busy", "old"))
    put(game_of(Status.IN_PROGRESS, second, *pair(busy, second)) for second in range(15))
    put(game_of(Status.FINISHED, second, *pair(old, second)) for second in range(20))
    running = store.accept(store.invite(host="empty", opponent="other").game_id, player="other")
    game = f"/games/{running.game_id}/"
    nobody = Player(site)
    return {
        "healthz": (nobody, "/healthz/"),
        "welcome": (nobody, "/"),
        "lobby, empty": (Player(site, "newcomer"), "/"),
        "lobby, 15 running": (busy, "/"),
        "lobby, 20 finished": (old, "/"),
        "game": (empty, game),
        "state": (empty, f"{game}state/"),
        "replay": (nobody, f"/replay/{A_TIE}/"),
        "player": (busy, "/players/old/"),
    }


def pair(player: Player, number: int) -> tuple[str, str]:
    return (player.name, "other") if number % 2 else ("other", player.name)


def plays(site: Site, times: int) -> Iterator[tuple[str, Player, Request]]:
    """Yield the requests of games between two players, each under its name in the table."""
    host, guest = Player(site, "olga"), Player(site, "xena")
    for _ in range(times):
        signed = new_game_in(host.send(Request("GET", "/games/new/")))
        game_id = signing.unsigned_game(signed)
        page = f"/games/{game_id}/"
        yield "create", host, host.post("/games/new/", game_id, opponent="xena", game=signed)
        yield "accept", guest, guest.post(f"{page}accept/", game_id)
        for number, digit in enumerate(A_TIE, 1):
            mover = (host, guest)[number % 2]
            fragment = number % 3 > 0
            name = "finishing move" if number == len(A_TIE) else "move" if fragment else "move, plain"
            form = {"square": rules.SQUARES[int(digit)], "position": position_in(mover.send(Request("GET", page)))}
            yield name, mover, mover.post(f"{page}move/", game_id, HTMX if fragment or number == 9 else {}, **form)


def measured(site: Site, times: int) -> dict[str, list[tuple[float, float]]]:
    """Return the seconds of each request and of its floor, by its name in the table."""
    seconds: dict[str, list[tuple[float, float]]] = {}
    gets = pages(site)

    def note(name: str, player: Player, request: Request) -> None:
        told, floor = site.measure(request, player.cookies)
        assert told.status < 400, (request, told)
        player.cookies |= told.cookies
        seconds.setdefault(name, []).append((told.seconds, floor.seconds))

    for _ in range(times):
        for name, (player, where) in gets.items():
            note(name, player, Request("GET", where))
    for name, player, request in plays(site, max(1, times // 5)):
        note(name, player, request)
    return seconds


@contextmanager
def in_process() -> Iterator[Site]:
    """Yield the site on an empty table, with its log in /dev/null."""
    with dynamodb_local() as endpoint, Path(os.devnull).open("w") as nowhere:
        django.setup()
        # Imports have read the settings already, without CONFIG_FILE.
        settings.SETUP_PROBLEM, settings.ALLOWED_HOSTS = "", ["127.0.0.1"]
        settings.ROOT_URLCONF = "bench.inprocess"
        table.bind(config.for_endpoint(endpoint, environ={}), patient=True)
        provisioning.create(lambda line: None)
        warm_up()
        with redirect_stdout(nowhere):
            yield Site()


def requests(times: int) -> dict[str, dict[str, float]]:
    """Return the median milliseconds of each kind of request and of its floor, by its name in the table."""
    with in_process() as site:
        found = measured(site, times)
    names = ("site_ms", "floor_ms")
    return {
        name: {key: statistics.median(each) * 1000 for key, each in zip(names, zip(*both, strict=True), strict=True)}
        for name, both in found.items()
    }


def profiles(times: int) -> dict[str, dict[str, float]]:
    """Return each package's percentage of the CPU time of a move and of two lobbies."""
    found = {name: Profile() for name in ("move", "lobby, 15 running", "lobby, 20 finished")}
    with in_process() as site:
        gets = [(name, player, Request("GET", where)) for name, (player, where) in pages(site).items()]
        for name, player, request in chain(gets * times, plays(site, max(1, times // 5))):
            if name in found:
                found[name].runcall(player.send, request)
            else:
                player.send(request)
    return {name: profile.shares(each) for name, each in found.items()}


def event_ms(viewers: int) -> float:
    """Return the live process's CPU milliseconds for one event to that many viewers, who look at the game."""
    with running() as site:
        pid, paths = site.deployment.live.pid, site.table.set_up(GAMES[viewers])
        site.open(site.deployment.live.address, paths, len(paths) * viewers)
        [idle] = usage.cpu_percent([pid], lambda: time.sleep(20))
        site.watchers.heard()
        heard: list[str] = []
        began, before = time.monotonic(), usage.cpu_seconds(pid)
        site.table.play(paths, moves=EVENTS, pace=2)

        def all_heard() -> bool:
            heard.extend(event.name for event in site.watchers.heard())
            return heard.count("board") >= len(paths) * viewers * EVENTS

        assert comes_true(all_heard)
        spent = usage.cpu_seconds(pid) - before - idle / 100 * (time.monotonic() - began)
    return spent / (len(paths) * EVENTS) * 1000


def drawn(figures: dict[str, dict[str, float]]) -> str:
    """Return the requests as a bar chart: the floor, and what the site adds."""
    rows = []
    for name, each in figures.items():
        if "floor_ms" in each:
            site, floor = each["site_ms"], each["floor_ms"]
            rows.append(plot.Bar(name, (floor, site - floor), f"{site:.1f}"))
    return plot.bars("CPU milliseconds of a request", ("the floor", "what the site adds"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cpu", description=__doc__)
    help_ = "requests, events or profiles (default: requests and events)"
    parser.add_argument("parts", nargs="*", metavar="part", default=["requests", "events"], help=help_)
    parser.add_argument("--times", type=int, default=200, help="how often to get each page (default 200)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="also draw the requests")
    chosen = parser.parse_args()
    before, figures = machine(), requests(chosen.times) if "requests" in chosen.parts else {}
    if "events" in chosen.parts:
        figures |= {f"event to {viewers} viewers": {"site_ms": event_ms(viewers)} for viewers in GAMES}
    packages = profiles(chosen.times) if "profiles" in chosen.parts else {}
    if chosen.svg:
        chosen.svg.write_text(drawn(figures))
    if chosen.json:
        print(json.dumps(figures | packages))
        return
    print(before)
    tell(figures, packages)


def tell(figures: dict[str, dict[str, float]], packages: dict[str, dict[str, float]]) -> None:
    if figures:
        print(f"{'':22} {'site':>7} {'floor':>7} {'ratio':>7}")
    for name, each in figures.items():
        floor = each.get("floor_ms")
        print(f"{name:22} {each['site_ms']:7.2f}" + (f" {floor:7.2f} {each['site_ms'] / floor:7.1f}" if floor else ""))
    for name, each in packages.items():
        print(f"{name:22} " + ", ".join(f"{package} {percent:.0f} %" for package, percent in each.items()))


if __name__ == "__main__":
    main()
