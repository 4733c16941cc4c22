"""An instance as on Beanstalk: the Procfile's processes behind nginx with this project's configuration."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.support.engines import free_port, wait_for_port
from tests.support.nginx import Nginx
from tests.support.sites import configured_for
from tictactoe_site.config import BASE_DIR


@dataclass(frozen=True, slots=True)
class Instance:
    """``address`` is nginx's; ``processes`` are gunicorn's masters by their names in the Procfile."""

    address: str
    ports: dict[str, int]
    processes: dict[str, subprocess.Popen[bytes]]


def procfile() -> dict[str, str]:
    """Return the Procfile's commands by process name."""
    lines = (BASE_DIR / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


@contextmanager
def started(
    name: str, port: int, endpoint: str, folder: Path, *, log: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of the Procfile's processes on ``port``, logging to ``log``, or to the tests' output.

    Processes with the same ``folder`` belong to the same instance.
    """
    words = shlex.split(procfile()[name])
    words[words.index("--bind") + 1] = f"127.0.0.1:{port}"
    own = {"CONFIG_FILE": _configuration(endpoint, folder), "LIVE_SOCKET": str(folder / "live.sock")}
    command = [sys.executable, "-m", *words, "--log-level", "warning"]
    with subprocess.Popen(command, cwd=BASE_DIR, env=os.environ | own, stdout=log) as process:
        try:
            wait_for_port(port)
            yield process
        finally:
            process.terminate()


@contextmanager
def instance(endpoint: str, folder: Path, *, limited: bool = True) -> Iterator[Instance]:
    """Run all of the Procfile's processes, which log to ``folder``, and nginx."""
    ports = {name: free_port() for name in procfile()}
    with ExitStack() as running:
        log = running.enter_context((folder / "log").open("ab"))
        processes = {
            name: running.enter_context(started(name, port, endpoint, folder, log=log)) for name, port in ports.items()
        }
        nginx = Nginx(folder)
        running.callback(nginx.stop)
        nginx.start_on_instance(BASE_DIR, ports, limited=limited)
        yield Instance(nginx.address, ports, processes)


def _configuration(endpoint: str, folder: Path) -> str:
    path = folder / "site.config"
    return str(path) if path.exists() else configured_for(endpoint, folder)
