"""``make dynamodb-local`` runs DynamoDB Local for development, reachable from this machine only."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dynamodb import provisioning
from dynamodb.client import shared_client
from tests.support.engines import LOCAL, free_port, missing, wait_for_port
from tictactoe_site import config, table
from tictactoe_site.config import BASE_DIR

pytestmark = pytest.mark.process


def command(port: int, *settings: str) -> list[str]:
    if not (shutil.which("javac") and LOCAL.exists()):
        missing("a JDK or DynamoDB Local (make dynamodb-local)")
    return ["make", "dynamodb-local", f"DDB_PORT={port}", *settings]


@contextmanager
def running(port: int, *settings: str) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command(port, *settings), cwd=BASE_DIR, stdout=quiet, stderr=quiet, start_new_session=True
    )
    with process:
        try:
            wait_for_port(port)
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def table_names(port: int) -> list[str]:
    table.bind(config.for_endpoint(f"http://127.0.0.1:{port}", environ={}), patient=True)
    names: list[str] = shared_client().list_tables()["TableNames"]
    return names


def test_listens_on_loopback_only() -> None:
    port = free_port()
    with running(port):
        assert table_names(port) == []
        # Linux answers on all of 127.0.0.0/8: a server listening on every address would accept this connection.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=5)


def test_ddb_path_persists_tables(tmp_path: Path) -> None:
    before, after = free_port(), free_port()
    with running(before, f"DDB_PATH={tmp_path}"):
        assert table_names(before) == []
        provisioning.create(lambda line: None)
    with running(after, f"DDB_PATH={tmp_path}"):
        assert table_names(after) == ["Games"]


def test_taken_port_is_reported_without_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = command(taken.getsockname()[1])
        done = subprocess.run(arguments, cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "DDB_PORT=" in done.stderr
    assert "Exception" not in done.stderr
