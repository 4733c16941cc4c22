"""kill -9 each process under load: every acknowledged move is still stored afterwards."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Self

import pytest

from dynamodb import provisioning
from tests.reliability.seasons import Season
from tests.support.engines import dynamodb_local_process, free_port
from tests.support.processes import alive, children_of, ends
from tests.support.sites import configured_for, gunicorn
from tictactoe_site import config, table

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("games_table"),
    pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True),
]

Running = tuple[str, "subprocess.Popen[bytes]"]


@dataclass
class Server:
    """A process that is restarted on its old port after a kill, as by a supervisor."""

    start: Callable[[], AbstractContextManager[Running]]
    address: str = ""
    process: subprocess.Popen[bytes] | None = None
    _running: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.address, self.process = self._running.enter_context(self.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def crash(self) -> None:
        """Kill the process, end its children as systemd does with leftovers of a service, and start it again."""
        orphans = children_of(self.pid)
        os.kill(self.pid, signal.SIGKILL)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for orphan in alive(orphans):
                os.kill(orphan, number)
            ends(orphans, seconds=3)
        self.__exit__()
        self.__enter__()


@dataclass(frozen=True)
class Deployment:
    site: Server
    dynamodb: Server

    def kill(self, victim: str) -> None:
        match victim:
            case "worker":
                os.kill(Random().choice(children_of(self.site.pid)), signal.SIGKILL)
            case "master":
                self.site.crash()
            case "DynamoDB Local":
                self.dynamodb.crash()


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Run a site with two workers on a DynamoDB Local that keeps its tables on disk."""
    ports = free_port(), free_port()
    (tmp_path / "tables").mkdir()
    with Server(lambda: dynamodb_local_process(ports[0], tmp_path / "tables")) as dynamodb:
        table.bind(config.for_endpoint(dynamodb.address, environ={}), patient=True)
        provisioning.create(lambda line: None)
        file = configured_for(dynamodb.address, tmp_path)
        with Server(lambda: gunicorn(ports[1], "--workers", "2", "--threads", "8", CONFIG_FILE=file)) as site:
            yield Deployment(site, dynamodb)


@contextmanager
def under_way(season: Season, games: int) -> Iterator[Future[None]]:
    with ThreadPoolExecutor(1) as background:
        yield background.submit(season.play, games)


@pytest.mark.parametrize("victim", ["worker", "master", "DynamoDB Local"])
def test_acknowledged_moves_survive_kill_9(
    victim: str, deployment: Deployment, full: bool, report: Callable[[str], None]
) -> None:
    season, crashes = Season(deployment.site.address), 0
    with under_way(season, 400 if full else 40) as playing:
        while not playing.done():
            deployment.kill(victim)
            crashes += 1
            # Wait for full load before the next crash.
            enough = season.told[200] + 150
            while season.told[200] < enough and not playing.done():
                time.sleep(0.1)
        playing.result()
    season.check()
    assert crashes > 1
    moves = sum(map(len, season.acknowledged.values()))
    report(f"{victim} killed {crashes} times: {moves:,} acknowledged moves all there; told {dict(season.told)}")
