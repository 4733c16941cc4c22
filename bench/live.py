"""How the live process copes with 100 to 10,000 streams, floods, clients that come and go, and restarts.

DynamoDB Local, a meter in front of it, web with two workers, two live processes (only the first gets hints) and all
clients run on this machine. Each game has 20 spectators who look at it, and its moves come over HTTP.
"""

import argparse
import time

import django

django.setup()

from bench import storms  # noqa: E402
from bench.site import Site, latencies, machine, percentiles, running  # noqa: E402
from tests.support import usage  # noqa: E402
from tests.support.deployments import Live  # noqa: E402

SIZES = [100, 1000, 3000, 10_000]
SPECTATORS = 20
MOVES = 8
HEAD = f"{'streams':>8} {'games':>5} {'MB':>5} {'KB each':>7} {'us/open':>7} {'idle %':>6} {'busy %':>6} {'web %':>5}"
HEAD += f" {'reads':>5}  {'with hints: p50, p95, p99, max, ms':^33}  {'without hints':^33}"


def growth(sizes: list[int], pace: float) -> None:
    print(f"20 streams per game, a move in each game every {pace:g} s")
    print(HEAD)
    for streams in sizes:
        with running() as site:
            print(measured(site, streams, pace), flush=True)


def measured(site: Site, streams: int, pace: float) -> str:
    games, live = streams // SPECTATORS, site.deployment.live
    paths, pid = site.table.set_up(games), live.pid
    empty, cpu = usage.resident_mb(pid), usage.cpu_seconds(pid)
    site.open(live.address, paths, streams)
    each_open = (usage.cpu_seconds(pid) - cpu) / streams * 1e6
    each_kb = (usage.resident_mb(pid) - empty) * 1024 / streams
    [idle] = usage.cpu_percent([pid], lambda: time.sleep(30))
    here = played(site, live, paths, pace)
    megabytes = usage.resident_mb(pid)
    site.watchers.leave()
    paths = site.table.set_up(games)
    site.open(site.deployment.elsewhere.address, paths, streams)
    there = played(site, site.deployment.elsewhere, paths, pace)
    line = f"{streams:8,} {games:5} {megabytes:5.0f} {each_kb:7.1f} {each_open:7.0f} {idle:6.1f} {here.busy:6.1f}"
    return f"{line} {here.web:5.1f} {here.reads:5.1f}  {here.late}  {there.late}"


class Played:
    """The load of ``live`` and ``web`` during play, in percent of a core, and the reads a minute of one game."""

    def __init__(self, busy: float, web: float, reads: float, late: str) -> None:
        self.busy, self.web, self.reads, self.late = busy, web, reads, late


def played(site: Site, live: Live, paths: list[str], pace: float) -> Played:
    site.watchers.heard()
    site.dynamodb.read()
    start, made = time.monotonic(), []
    used = usage.cpu_percent(
        [live.pid, *site.deployment.web_pids], lambda: made.extend(site.table.play(paths, moves=MOVES, pace=pace))
    )
    minutes = (time.monotonic() - start) / 60
    reads = site.dynamodb.read().reads
    time.sleep(3)
    late = latencies(made, site.watchers.heard())
    lost = len(made) * SPECTATORS - len(late)
    return Played(
        used[0],
        sum(used[1:]),
        sum(reads[path.split("/")[2]] for path in paths) / len(paths) / minutes,
        percentiles(late) + (f" ({lost} of {len(made) * SPECTATORS} events never arrived)" if lost else ""),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="up to 1,000 streams, and the other parts on a smaller scale"
    )
    parser.add_argument("--streams", type=int, nargs="*", help=f"the numbers of streams in growth (default {SIZES})")
    parser.add_argument("--pace", type=float, default=5, help="seconds between the moves of a game (default 5)")
    parser.add_argument(
        "parts", nargs="*", default=["growth", "flood", "soak", "restart"], help="the parts to run (default: all)"
    )
    given = parser.parse_args()
    tenth = 10 if given.quick else 1
    parts = {
        "growth": lambda: growth(given.streams or (SIZES[:2] if given.quick else SIZES), given.pace),
        "flood": lambda: storms.flood(rounds=1 if given.quick else 3),
        "soak": lambda: storms.soak(20_000 // tenth),
        "restart": lambda: storms.restart(2000 // tenth),
    }
    print(machine())
    for part in given.parts:
        print(f"\n{part}")
        parts[part]()


if __name__ == "__main__":
    main()
