"""The engine, the table and the cast: alice and bob play, charlie is the outsider."""

import functools
import gc
import os
import signal
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from django.test import Client

from accounts import generations
from accounts.hashers import Argon2
from dynamodb import embedded, provisioning, retries
from dynamodb.client import shared_client, warm_up
from dynamodb.items import TableItem
from games.models import Game
from games.storage import limits, store
from tests.support import evidence
from tests.support.browsers import chromium as chromium
from tests.support.browsers import open_browser as open_browser
from tests.support.browsers import playwright as playwright
from tests.support.consumed import Meter
from tests.support.engines import dynamodb_local
from tictactoe_site import commands, config, table
from tictactoe_site.table import Item

# Commands must flush output that others wait for, even if the environment doesn't force it.
os.environ.pop("PYTHONUNBUFFERED", None)
# A shell that runs the tests in the background makes them, and their child processes, ignore Ctrl-C, and nohup SIGHUP.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Without this each client reads botocore's service and endpoint files again: 0.1 seconds, a hundred times.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

PASSWORD = "correct horse battery"
FIGURE = "figure"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="reliability tests at the scale that docs/reliability.md reports"
    )
    parser.addoption("--seed", type=int, help="the seed of the first request of tests/test_fuzz.py")
    parser.addoption("--bundle", metavar="ZIP", help="rehearse this bundle instead of one made here")


def pytest_collection_finish() -> None:
    """Leave what the modules hold out of each later garbage collection, which would take a tenth of the time."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests reported, and one line for each missing tool rather than for each skipped test."""
    stats = terminalreporter.stats
    ran = [*stats.get("passed", []), *stats.get("failed", [])]
    for line in dict.fromkeys(value for each in ran for name, value in each.user_properties if name == FIGURE):
        terminalreporter.write_line(line)
    reasons = Counter(str(report.longrepr[2]) for report in stats.get("skipped", []))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} tests {reason.removeprefix('Skipped: ')}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a failed test leaves behind while its browsers and its table are still there."""
    report = yield
    if report.when == "call" and report.failed:
        report.sections += evidence.gathered()
    return report


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether to run at the scale that docs/reliability.md reports, which takes minutes."""
    return bool(request.config.getoption("--full"))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that takes a line of figures to print after the tests."""
    return lambda line: request.node.user_properties.append((FIGURE, line))


@pytest.fixture(scope="session")
def engines() -> Iterator[Callable[[str], str]]:
    """Yield a function that returns the address of an engine with an empty table. It's started at its first use."""
    kinds = {"moto": embedded.process, "dynamodb_local": dynamodb_local}
    with ExitStack() as running:

        @functools.cache
        def started(kind: str) -> str:
            address = running.enter_context(kinds[kind]())
            table.bind(config.for_endpoint(address, environ={}), patient=True)
            provisioning.create(lambda line: None)
            warm_up()
            return address

        yield started


@pytest.fixture(scope="session", params=["moto", "dynamodb_local"])
def engine(request: pytest.FixtureRequest, engines: Callable[[str], str]) -> str:
    """Return the address of a DynamoDB: moto for speed, then DynamoDB Local for truth."""
    address = engines(request.param)
    use(address)
    return address


@pytest.fixture(autouse=True)
def configured(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the site act as if configured: tests run without CONFIG_FILE, and don't see a ``make run`` beside them."""
    settings.SETUP_PROBLEM = ""
    monkeypatch.setattr(commands, "PLAYING", Path("/nowhere"))


@pytest.fixture(autouse=True)
def light_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make hashing cheap: as the site does it, it would take a tenth of the time of the tests."""
    monkeypatch.setattr(Argon2, "time_cost", 1)
    monkeypatch.setattr(Argon2, "memory_cost", 8)


@pytest.fixture(autouse=True)
def patient_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give requests within the tests' process more time: on a busy machine the engine is slow."""
    monkeypatch.setattr(retries, "REQUEST_SECONDS", 60)


@pytest.fixture
def games_table(engine: str) -> Iterator[str]:
    """Yield the engine's address for one test: bind the site to its table, and empty the table afterwards."""
    use(engine)
    limits._known.clear()
    generations._known.clear()
    with evidence.witness(lambda: evidence.of_items(item.attribute_values for item in Item.scan())):
        yield engine
    use(engine)
    empty_table()


@pytest.fixture
def meter(games_table: str) -> Iterator[Meter]:
    events = shared_client().meta.events
    meter = Meter()
    events.register("after-call.dynamodb", meter.note)
    yield meter
    events.unregister("after-call.dynamodb", meter.note)


@pytest.fixture
def stop_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that stops the store's clock at a time in epoch seconds."""

    def stop(seconds: float) -> None:
        moment = datetime.fromtimestamp(seconds, UTC)
        monkeypatch.setattr(store, "datetime", SimpleNamespace(now=lambda _: moment))

    return stop


@pytest.fixture
def exact(request: pytest.FixtureRequest) -> bool:
    """Whether the engine's figures are DynamoDB's."""
    return "dynamodb_local" in request.node.name


def empty_table() -> None:
    with Item.batch_write() as batch:
        for item in Item.scan(attributes_to_get=["GameId"]):
            batch.delete(item)


def use(engine: str) -> None:
    """Bind the models to the engine's table, unless they are: tests and commands may rebind them.

    Be patient: a slow engine on a busy machine is no finding. Tests of the time limits bind for themselves.
    """
    meta = TableItem.Meta
    bound = (meta.host, meta.table_name, meta.read_timeout_seconds)
    if bound != (engine, config.DEFAULT_TABLE, table.PATIENT_SECONDS):
        table.bind(config.for_endpoint(engine, environ={}), patient=True)
        warm_up()


Cast = Callable[[str], Client]
Clock = Callable[[float], None]


@pytest.fixture
def log_in(games_table: str) -> Cast:
    """Return a function that signs up a player by name and returns their browser."""

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


def again(client: Client) -> Client:
    """Copy a browser with its cookies, to send a request as if the original's next reply hadn't arrived."""
    browser = Client(enforce_csrf_checks=True)
    browser.cookies.load({name: morsel.value for name, morsel in client.cookies.items()})
    return browser


def drop_table(name: str) -> None:
    """Delete a table that the test made, even one that is protected."""
    client = shared_client()
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=name)


def stored(game_id: str) -> Game:
    """Return the game as stored, bypassing the site."""
    return Game.get(game_id, consistent_read=True)
