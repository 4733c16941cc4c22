"""The running site that bench/live.py measures, with a meter in front of its table and a crowd of spectators."""

import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dynamodb import provisioning
from tests.support import crowd, meter
from tests.support.deployments import Deployment, deployed
from tests.support.engines import dynamodb_local
from tests.support.moves import Made, Table, events_of
from tests.support.players import Player
from tictactoe_site import config, table


@dataclass(frozen=True)
class Site:
    deployment: Deployment
    dynamodb: meter.Handle
    watchers: crowd.Handle
    table: Table
    spectators_cookie: str

    def open(self, address: str, paths: Sequence[str], streams: int) -> None:
        """Open ``streams`` streams, spread evenly over the games. Every spectator is looking at the game."""
        watched = [f"{events_of(path)}?looking=1" for path in paths]
        watched = [watched[number % len(watched)] for number in range(streams)]
        opened = self.watchers.open(address, watched, cookie=self.spectators_cookie, stays=True)
        assert opened == {200: streams}, opened


@contextmanager
def running() -> Iterator[Site]:
    """Yield a site whose processes are all new."""
    with ExitStack() as all_of:
        endpoint = all_of.enter_context(dynamodb_local())
        table.bind(config.for_endpoint(endpoint, environ={}), patient=True)
        provisioning.create(lambda line: None)
        dynamodb = all_of.enter_context(meter.metered(endpoint))
        folder = Path(all_of.enter_context(tempfile.TemporaryDirectory()))
        site = all_of.enter_context(deployed(dynamodb.address, folder, servers=2))
        watchers = all_of.enter_context(crowd.gathered())
        yield Site(site, dynamodb, watchers, Table(site.web), cookie_of(Player(site.web)))


def cookie_of(player: Player) -> str:
    return "; ".join(f"{name}={value}" for name, value in player.session.cookies.items())


def latencies(made: list[Made], heard: list[crowd.Heard]) -> list[float]:
    """Return the seconds from sending each move to each spectator's event."""
    posted = {(events_of(move.path), move.version): move.posted for move in made}
    found = ((event, posted.get((event.path.partition("?")[0], event.id))) for event in heard)
    return [event.at - at for event, at in found if at and event.name == "board"]


def percentiles(times: list[float], scale: float = 1000) -> str:
    """Format p50, p95, p99 and the maximum, in milliseconds (or in seconds with ``scale=1``)."""
    cuts = statistics.quantiles(times, n=100)
    return " ".join(
        f"{value * scale:7.{0 if scale > 1 else 1}f}" for value in (cuts[49], cuts[94], cuts[98], max(times))
    )


def machine() -> str:
    """Describe the machine and its load, which the figures depend on."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before"
