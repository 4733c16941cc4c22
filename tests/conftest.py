"""The engine, the table and the cast: alice and bob play, charlie is the outsider."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from games import embedded, provisioning, table
from games.models import Game
from games.table import TableItem
from tests.engines import dynamodb_local
from tictactoe_site import config

# Commands must flush what others wait for, also where the environment does not do it for them.
os.environ.pop("PYTHONUNBUFFERED", None)
# A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

PASSWORD = "correct horse battery"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each tool that is not installed, instead of one for each test."""
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} tests {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session", params=["moto", "dynamodb_local"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a DynamoDB with an empty table in it: moto's for speed, then DynamoDB Local for truth."""
    engines = {"moto": embedded.process, "dynamodb_local": dynamodb_local}
    with engines[request.param]() as address:
        table.bind(config.for_endpoint(address, environ={}), patient=True)
        provisioning.create(lambda line: None)
        table.bind(config.for_endpoint(address, environ={}))
        table.warm_up()
        yield address


@pytest.fixture(autouse=True)
def configured(settings: Any) -> None:
    """The site as it is with a configuration: tests run without CONFIG_FILE."""
    settings.SETUP_PROBLEM = ""


@pytest.fixture
def games_table(engine: str) -> Iterator[str]:
    """The same for one test: the site uses it, and it is emptied afterwards."""
    yield engine
    if (TableItem.Meta.host, TableItem.Meta.table_name) != (engine, config.DEFAULT_TABLE):
        table.bind(config.for_endpoint(engine, environ={}))
        table.warm_up()
    for item in list(TableItem.scan()):
        item.delete()


Cast = Callable[[str], Client]


@pytest.fixture
def log_in(games_table: str) -> Cast:
    """Gives a browser in which the named player is logged in, having claimed the name on the way."""

    def browser(name: str) -> Client:
        client = Client()
        answer = client.post("/accounts/signup/", {"username": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.content.decode()
        return client

    return browser


@pytest.fixture
def alice(log_in: Cast) -> Client:
    return log_in("alice")


@pytest.fixture
def bob(log_in: Cast) -> Client:
    return log_in("bob")


@pytest.fixture
def charlie(log_in: Cast) -> Client:
    return log_in("charlie")


def drop_table(name: str) -> None:
    """Delete a table that the test made, even one that is protected."""
    client = table.client()
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=name)


def stored(game_id: str) -> Game:
    """The game as the table has it, read past the site."""
    return Game.get(game_id, consistent_read=True)
