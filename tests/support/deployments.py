"""The site as in the Procfile: separate ``web`` and ``live`` processes on one table."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.engines import free_port, wait_for_port
from tests.support.processes import children_of
from tests.support.sites import configured_for, gunicorn
from tictactoe_site.config import BASE_DIR


class Live:
    """A ``live`` process that can be restarted on the same port. It receives hints at ``socket``."""

    def __init__(self, config_file: str, socket: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._environ = {"CONFIG_FILE": config_file, "LIVE_SOCKET": str(socket)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.live.conf.py", "--log-level", "error"]
        command += ["--bind", f"127.0.0.1:{self.port}", "tictactoe_site.asgi"]
        self._process = subprocess.Popen(command, cwd=BASE_DIR, env=os.environ | self._environ)
        wait_for_port(self.port)
        # An answer comes from the worker: it's there, and has opened what it keeps open.
        assert requests.get(f"{self.address}/healthz/", timeout=120).ok

    def stop(self) -> None:
        """Send SIGTERM, as a supervisor or a deployment does, and wait for the process to end."""
        if self._process:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def reload(self) -> None:
        """Send SIGHUP: gunicorn starts a new worker, then ends the old one; the port stays open."""
        assert self._process
        self._process.send_signal(signal.SIGHUP)

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def pid(self) -> int:
        """The pid of the worker, which holds the streams."""
        assert self._process
        return children_of(self._process.pid)[0]


@dataclass(frozen=True)
class Deployment:
    """``elsewhere`` is the ``live`` process of a second server, which shares only the table with ``web``."""

    web: str
    web_master: int
    live: Live
    elsewhere: Live

    @property
    def web_pids(self) -> list[int]:
        return children_of(self.web_master)


@contextmanager
def deployed(endpoint: str, folder: Path, *settings: str, workers: int = 2, servers: int = 1) -> Iterator[Deployment]:
    """Run the site on the table at ``endpoint``; ``settings`` are lines for [django] in the configuration."""
    file = configured_for(endpoint, folder)
    with Path(file).open("a") as configuration:
        configuration.writelines(f"{line}\n" for line in settings)
    sockets = [folder / "here.sock", folder / "elsewhere.sock"]
    lives = [Live(file, socket) for socket in sockets]
    with ExitStack() as running:
        for live in lives[:servers]:
            running.callback(live.stop)
            live.start()
        environ = {"CONFIG_FILE": file, "LIVE_SOCKET": str(sockets[0])}
        # No log: lines for thousands of moves would bury the figures.
        web, master = running.enter_context(
            gunicorn(free_port(), "--workers", str(workers), log=subprocess.DEVNULL, **environ)
        )
        yield Deployment(web, master.pid, *lives)
