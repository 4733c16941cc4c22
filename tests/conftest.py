"""The engine, the table and the cast: alice and bob play, charlie is the outsider."""

import functools
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from django.test import Client

from dynamodb import embedded, provisioning, retries
from dynamodb.client import shared_client, warm_up
from dynamodb.items import TableItem
from games.models import Game
from games.storage import limits
from tests.support.browsers import open_browser as open_browser
from tests.support.browsers import playwright as playwright
from tests.support.consumed import Meter
from tests.support.engines import dynamodb_local
from tictactoe_site import config, table
from tictactoe_site.table import Item

# Commands must flush what others wait for, also where the environment does not do it for them.
os.environ.pop("PYTHONUNBUFFERED", None)
# A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Each client would read botocore's files of services and endpoints again: a tenth of a second, a hundred times.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

PASSWORD = "correct horse battery"
FIGURES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="reliability tests at the scale that docs/reliability.md reports"
    )
    parser.addoption("--bundle", metavar="ZIP", help="rehearse this bundle instead of one made here")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures that tests reported, and one line for each tool that is not installed instead of one a test."""
    for line in terminalreporter.config.stash[FIGURES]:
        terminalreporter.write_line(line)
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} tests {reason.removeprefix('Skipped: ')}")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether to run at the scale that docs/reliability.md reports, which takes minutes."""
    return bool(request.config.getoption("--full"))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes a line of figures, to be printed after the tests."""
    return request.config.stash[FIGURES].append


@pytest.fixture(scope="session", params=["moto", "dynamodb_local"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a DynamoDB with an empty table in it: moto's for speed, then DynamoDB Local for truth."""
    engines = {"moto": embedded.process, "dynamodb_local": dynamodb_local}
    with engines[request.param]() as address:
        table.bind(config.for_endpoint(address, environ={}), patient=True)
        provisioning.create(lambda line: None)
        table.bind(config.for_endpoint(address, environ={}))
        warm_up()
        yield address


@pytest.fixture(autouse=True)
def configured(settings: Any) -> None:
    """The site as it is with a configuration: tests run without CONFIG_FILE."""
    settings.SETUP_PROBLEM = ""


@pytest.fixture
def games_table(engine: str) -> Iterator[str]:
    """The same for one test: the site uses it, and it is emptied afterwards."""
    use(engine)
    limits._known.clear()
    yield engine
    use(engine)
    for item in list(Item.scan()):
        item.delete()


@pytest.fixture
def meter(games_table: str) -> Iterator[Meter]:
    events = shared_client().meta.events
    meter = Meter()
    events.register("after-call.dynamodb", meter.note)
    yield meter
    events.unregister("after-call.dynamodb", meter.note)


def use(engine: str) -> None:
    """Bind the models to the table there, as the site does, unless they are: tests and commands bind them otherwise."""
    meta = TableItem.Meta
    bound = (meta.host, meta.table_name, meta.read_timeout_seconds)
    if bound != (engine, config.DEFAULT_TABLE, retries.ANSWER_SECONDS):
        table.bind(config.for_endpoint(engine, environ={}))
        warm_up()


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


def again(client: Client) -> Client:
    """Another browser with the same cookies: what it sends was sent before the first one's next answer came."""
    browser = Client(enforce_csrf_checks=True)
    browser.cookies.load({name: morsel.value for name, morsel in client.cookies.items()})
    return browser


def drop_table(name: str) -> None:
    """Delete a table that the test made, even one that is protected."""
    client = shared_client()
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=name)


def stored(game_id: str) -> Game:
    """The game as the table has it, read past the site."""
    return Game.get(game_id, consistent_read=True)
