"""How the live process copes with 100 to 10,000 streams, floods, clients that come and go, and restarts.

DynamoDB Local, a meter in front of it, web with two workers, two live processes (only the first gets hints) and all
clients run on this machine. Each game has 20 spectators who look at it, and its moves come over HTTP.
"""

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import django

django.setup()

from bench import plot, storms  # noqa: E402
from bench.site import Site, latencies, machine, percentiles, running  # noqa: E402
from tests.support import usage  # noqa: E402
from tests.support.deployments import Live  # noqa: E402

SIZES = [100, 1000, 3000, 10_000]
SPECTATORS = 20
MOVES = 8
HEAD = f"{'streams':>8} {'games':>5} {'MB':>5} {'KB each':>7} {'us/open':>7} {'idle %':>6} {'busy %':>6} {'web %':>5}"
HEAD += f" {'reads':>5}  {'with hints: p50, p95, p99, max, ms':^33}  {'without hints':^33}"


@dataclass(frozen=True)
class Growth:
    """What so many streams cost ``live``. ``here`` it gets hints; ``there`` is the other server's."""

    streams: int
    megabytes: float
    kb_each: float
    us_open: float
    idle_percent: float
    here: "Played"
    there: "Played"

    @property
    def line(self) -> str:
        line = f"{self.streams:8,} {self.streams // SPECTATORS:5} {self.megabytes:5.0f} {self.kb_each:7.1f}"
        line += f" {self.us_open:7.0f} {self.idle_percent:6.1f} {self.here.busy:6.1f}"
        return f"{line} {self.here.web:5.1f} {self.here.reads:5.1f}  {self.here.late}  {self.there.late}"


def growth(sizes: list[int], pace: float, folder: Path | None = None) -> None:
    """Print a line for each number of streams. Draw memory and latency into ``folder``, if it's given."""
    print(f"20 streams per game, a move in each game every {pace:g} s")
    print(HEAD)
    found = []
    for streams in sizes:
        with running() as site:
            found.append(measured(site, streams, pace))
            print(found[-1].line, flush=True)
    if folder:
        (folder / "live-memory.svg").write_text(memory(found))
        (folder / "live-latency.svg").write_text(latency(found))


def memory(found: list[Growth]) -> str:
    rows = []
    for each in found:
        held = each.kb_each * each.streams / 1024
        parts = (each.megabytes - held, held)
        rows.append(plot.Bar(f"{each.streams:,} streams", parts, f"{each.megabytes:.0f}"))
    return plot.bars("Resident megabytes of the live process", ("without streams", "the streams"), rows)


def latency(found: list[Growth]) -> str:
    rows = []
    for each in found:
        for name, played in (("by hint", each.here), ("by table", each.there)):
            p50, p95 = (cut * 1000 for cut in (played.p50, played.p95))
            rows.append(plot.Bar(f"{each.streams:,}, {name}", (p50, p95 - p50), f"{p50:.0f}, {p95:.0f}"))
    return plot.bars("Milliseconds from a move to each spectator's event", ("median", "95th percentile"), rows)


def measured(site: Site, streams: int, pace: float) -> Growth:
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
    return Growth(streams, megabytes, each_kb, each_open, idle, here, there)


@dataclass(frozen=True)
class Played:
    """The load of ``live`` and ``web`` during play, in percent of a core, and the reads a minute of one game.

    ``times`` are the seconds from each move to each spectator's event, of which ``lost`` never arrived.
    """

    busy: float
    web: float
    reads: float
    times: list[float]
    lost: int

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.times, n=20)[-1]

    @property
    def late(self) -> str:
        expected = len(self.times) + self.lost
        return percentiles(self.times) + (f" ({self.lost} of {expected} events never arrived)" if self.lost else "")


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
    times = latencies(made, site.watchers.heard())
    a_minute = sum(reads[path.split("/")[2]] for path in paths) / len(paths) / minutes
    return Played(used[0], sum(used[1:]), a_minute, times, len(made) * SPECTATORS - len(times))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="up to 1,000 streams, and the other parts on a smaller scale"
    )
    parser.add_argument("--streams", type=int, nargs="*", help=f"the numbers of streams in growth (default {SIZES})")
    parser.add_argument("--pace", type=float, default=5, help="seconds between the moves of a game (default 5)")
    parser.add_argument("--svg", type=Path, metavar="FOLDER", help="also draw the growth, into two files there")
    parser.add_argument(
        "parts", nargs="*", default=["growth", "flood", "soak", "restart"], help="the parts to run (default: all)"
    )
    given = parser.parse_args()
    tenth = 10 if given.quick else 1
    parts = {
        "growth": lambda: growth(given.streams or (SIZES[:2] if given.quick else SIZES), given.pace, given.svg),
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
