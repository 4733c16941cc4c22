"""The site as people run it: ``manage.py play`` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.engines import free_port, wait_for_port
from tictactoe_site.config import BASE_DIR


@contextmanager
def serving(**environ: str) -> Iterator[str]:
    """The address of the site under plain gunicorn, as a server runs it."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "tictactoe_site.wsgi", "--no-control-socket"]
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    with subprocess.Popen(command, cwd=BASE_DIR, env=os.environ | environ) as process:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def playing(*arguments: str, **environ: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a running site and its process, which is ended with the block."""
    clean = {key: value for key, value in os.environ.items() if key != "CONFIG_FILE"}
    command = [sys.executable, "manage.py", "play", "--port", "0", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=BASE_DIR, env=clean | environ) as process:
        assert process.stdout
        assert process.stderr
        try:
            line = process.stdout.readline()
            assert line.startswith("Playing at http://"), line + process.stderr.read()
            yield line.split()[2], process
        finally:
            process.terminate()
