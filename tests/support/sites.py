"""The site in separate processes: under gunicorn, as on a server, and as ``manage.py play``."""

import fcntl
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.engines import free_port, wait_for_port
from tictactoe_site.config import BASE_DIR


@contextmanager
def only_one_plays() -> Iterator[None]:
    """Wait until no other test process embeds a DynamoDB in this checkout, which commands would use (.playing)."""
    with Path(tempfile.gettempdir(), "tictactoe-plays").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def configured_for(endpoint: str, folder: Path, hosts: str = "127.0.0.1") -> str:
    """Write a file for CONFIG_FILE, with DynamoDB at ``endpoint`` and one secret for all processes; return its path."""
    path = folder / "site.config"
    path.write_text(
        f"[dynamodb]\nregion = us-west-2\nendpoint = {endpoint}\n[django]\nsecret_key = {uuid.uuid4()}\n"
        f"allowed_hosts = {hosts}\n"
    )
    return str(path)


@contextmanager
def serving(*arguments: str, **environ: str) -> Iterator[str]:
    """Run the site under gunicorn, as on a server; yield its address."""
    with gunicorn(free_port(), *arguments, log=None, **environ) as (address, _):
        yield address


@contextmanager
def gunicorn(
    port: int,
    *arguments: str,
    log: int | None = None,
    project: str = str(BASE_DIR),
    python: str = sys.executable,
    **environ: str,
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Do the same on a given port; yield the address and the master's process.

    ``log`` is Popen's ``stdout``; another ``project`` runs with the ``python`` of its own environment.
    """
    command = [python, "-m", "gunicorn", "tictactoe_site.wsgi"]
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning", *arguments]
    with subprocess.Popen(command, cwd=project, env=os.environ | environ, stdout=log) as process:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()


def manage(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` in a process of its own, without CONFIG_FILE unless it's given."""
    clean = {key: value for key, value in os.environ.items() if key != "CONFIG_FILE"}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=BASE_DIR, env=clean | environ, timeout=60, check=False
    )


@contextmanager
def playing(
    *arguments: str, project: Path = BASE_DIR, folder: Path | None = None, errors: int | None = None, **environ: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve ``project``; yield the site's address and its process, which ends with the block.

    ``folder`` is the current directory, the project's by default, and ``errors`` is Popen's ``stderr``.
    """
    clean = {key: value for key, value in os.environ.items() if key != "CONFIG_FILE"}
    command = [sys.executable, str(project / "manage.py"), "play", "--port", "0", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder or project, env=clean | environ
    ) as process:
        assert process.stdout
        try:
            line = process.stdout.readline()
            assert line.startswith("Playing at http://"), line
            yield line.split()[2], process
        finally:
            process.terminate()
