"""The DynamoDB engines that tests run on, and what to do if one can't run."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tictactoe_site.config import BASE_DIR

LOCAL = BASE_DIR / ".venv" / "dynamodb-local"


def missing(what: str) -> None:
    """Skip the test for lack of a tool; in CI, where all tools are installed, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and in CI nothing is skipped.")
    pytest.skip(f"not run here: {what} is missing")


@contextmanager
def dynamodb_local(folder: Path | None = None) -> Iterator[str]:
    """Run a DynamoDB Local that keeps its tables in ``folder``, or in memory; yield its address."""
    with dynamodb_local_process(free_port(), folder) as (address, _):
        yield address


@contextmanager
def dynamodb_local_process(port: int, folder: Path | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Do the same on a given port; yield the address and the process."""
    if not (shutil.which("java") and LOCAL.exists()):
        missing("a JDK or DynamoDB Local (make dynamodb-local)")
    command = ["java", "-Djava.library.path=jar/DynamoDBLocal_lib", "-cp", ".:jar/*:jar/DynamoDBLocal_lib/*"]
    command += ["OnLoopback", "-disableTelemetry", "-sharedDb", "-port", str(port)]
    command += ["-dbPath", str(folder)] if folder else ["-inMemory"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd=LOCAL) as engine:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}", engine
        finally:
            engine.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for_port(port: int, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
