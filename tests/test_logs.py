"""The Procfile's processes log JSON: a line per request with its cost, and no names or passwords."""

import json
import logging
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import path

from dynamodb import metering
from dynamodb.client import warm_up
from dynamodb.errors import StoreUnavailable
from games.storage import queries
from tests.conftest import PASSWORD
from tests.support.engines import free_port
from tests.support.instances import procfile, started
from tests.support.players import Player
from tests.support.processes import comes_true
from tests.support.sites import only_one_plays, playing
from tictactoe_site import logs, table, urls
from tictactoe_site.config import Config

local = pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
NAME, OTHER = "zebulon-7", "yolanda-8"
Written = Callable[[], list[dict[str, Any]]]


class Web:
    """The web process and the lines that it logged."""

    def __init__(self, address: str, log: Path) -> None:
        self.address = address
        self._log = log

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def of(self, request_id: str) -> dict[str, Any]:
        """Return the one line of a request."""
        [line] = [line for line in self.lines if line["request_id"] == request_id and "status" in line]
        return line

    def send(self, raw: bytes) -> bytes:
        """Send raw bytes, which no HTTP library would, and return the reply."""
        address = urlsplit(self.address)
        with socket.create_connection((address.hostname, address.port or 80), timeout=60) as connection:
            connection.sendall(raw)
            return connection.recv(65536)


@pytest.fixture
def web(games_table: str, tmp_path: Path) -> Iterator[Web]:
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as file, started("web", port, games_table, tmp_path, log=file):
        yield Web(f"http://127.0.0.1:{port}", log)


@local
@pytest.mark.process
def test_request_lines_report_cost_and_no_names(web: Web) -> None:
    host, opponent = Player(web.address, name=NAME), Player(web.address, name=OTHER)
    game = host.invite(OTHER)
    position = opponent.session.get(f"{web.address}{game}", timeout=60).json()["position"]
    accepted = opponent.move(game, 4, position)
    moved = host.move(game, 0, accepted.json()["position"])
    opponent.invite(NAME)
    lobby = host.session.get(f"{web.address}/", timeout=60)
    lost = host.move(game, 1, accepted.json()["position"])

    line = web.of(moved.headers["X-Request-ID"])
    assert datetime.now(UTC) - datetime.fromisoformat(line["time"]) < timedelta(minutes=1)
    assert (line["level"], line["method"], line["route"]) == ("INFO", "POST", "/games/<uuid:game_id>/move/")
    assert (line["status"], line["dynamodb_calls"], line["read_units"], line["write_units"]) == (200, 1, 0, 1)
    assert 0 < line["ms"] < 5000
    assert cost(web, accepted.headers["X-Request-ID"]) == (1, 0, 5)
    # Two queries, one of them in another thread, and a batch read.
    assert cost(web, lobby.headers["X-Request-ID"]) == (3, 1.5, 0)
    # DynamoDB doesn't report the cost of a failed condition.
    assert (lost.status_code, cost(web, lost.headers["X-Request-ID"])) == (409, (1, 0, 0))

    players = {line["player"] for line in web.lines if line.get("route") == "/games/<uuid:game_id>/move/"}
    assert line["player"] in players
    assert len(players) == 2
    assert all(re.fullmatch("[0-9a-f]{12}", player) for player in players)
    assert {line["player"] for line in web.lines if line.get("route") == "/accounts/signup/"} == {None}
    everything = json.dumps(web.lines)
    for secret in (NAME, OTHER, PASSWORD, game.split("/")[2]):
        assert secret not in everything


def cost(web: Web, request_id: str) -> tuple[int, float, float]:
    line = web.of(request_id)
    return line["dynamodb_calls"], line["read_units"], line["write_units"]


@local
@pytest.mark.process
def test_every_line_is_json_for_any_input(web: Web) -> None:
    forged = '{"level":"ERROR","status":500}'
    for path_sent in ("/%0a" + forged, "/players/a%0d%0a/", "/%e2%80%a8", "/%ff%fe"):
        web.send(f"GET {path_sent} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-ID: {forged}\r\n\r\n".encode())
    web.send(b"G\n" + forged.encode() + b"\r\n\r\n")
    web.send(b"BREW / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    web.send(b"GET /healthz/ HTTP/1.1\r\nHost: 10.0.0.5\r\n\r\n")
    web.send(b"GET /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert comes_true(lambda: any(line.get("route") == "/accounts/login/" for line in web.lines))
    requests = [line for line in web.lines if "status" in line]
    assert [line["status"] for line in requests] == [404, 404, 404, 404, 400, 200]
    routes = [line["route"] for line in requests]
    assert routes == [None, "/players/<str:name>/", None, None, None, "/accounts/login/"]
    assert {len(line["request_id"]) for line in requests} == {32}
    # gunicorn's own message about the invalid request.
    assert [line["level"] for line in web.lines if line["logger"] == "gunicorn.error"] == ["WARNING"]


@pytest.mark.process
@pytest.mark.parametrize("name", procfile())
def test_startup_error_is_logged_as_json(name: str, tmp_path: Path) -> None:
    (tmp_path / "site.config").write_text("[dynamodb]\nregoin = us-west-2\n")
    log = tmp_path / "log"
    with log.open("wb") as file, started(name, free_port(), "", tmp_path, log=file):
        assert comes_true(lambda: "regoin" in log.read_text())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["level"] for line in lines if "[dynamodb] regoin is an unknown key" in line["message"]] == ["ERROR"]


def test_unanswered_call_is_counted() -> None:
    table.bind(Config(endpoint=f"http://127.0.0.1:{free_port()}", access_key_id="local", secret_access_key="local"))
    warm_up()
    with metering.measured() as usage, pytest.raises(StoreUnavailable):
        queries.game("2ae80eff-822a-4380-aa4d-a3cadde82272")
    assert usage == metering.Usage(calls=1)


def broken(request: HttpRequest) -> NoReturn:
    raise ValueError("nobody\nexpected this")


urlpatterns = [path("broken/", broken), *urls.urlpatterns]
handler500 = urls.handler500


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Written:
    """Return a function that gives this process's log, formatted as the Procfile's processes format it."""
    caplog.handler.setFormatter(logs.JsonLines())
    caplog.set_level(logging.INFO, "tictactoe_site.logs.requests")
    return lambda: [json.loads(line) for line in caplog.text.splitlines()]


@pytest.mark.urls(__name__)
def test_error_line_has_traceback_and_request_id(written: Written) -> None:
    given = "0123456789abcdef0123456789abcdef"
    answer = Client(raise_request_exception=False).get("/broken/", headers={"x-request-id": given})
    assert (answer.status_code, answer["X-Request-ID"]) == (500, given)
    assert given in answer.content.decode()  # for the player to quote
    error, line = written()
    assert (error["level"], error["request_id"], "status" in error) == ("ERROR", given, False)
    assert error["traceback"].startswith("Traceback")
    assert error["traceback"].endswith("ValueError: nobody\nexpected this")
    assert (line["request_id"], line["route"], line["status"]) == (given, "/broken/", 500)


@pytest.mark.parametrize("given", ["short", "x" * 65, "0123456789 abcdef", "0123456789abcdéf", "0123456789abcdef\n"])
def test_invalid_request_id_is_replaced(given: str) -> None:
    answer = Client().get("/accounts/login/", headers={"x-request-id": given})
    assert answer["X-Request-ID"] not in answer.content.decode()  # nothing went wrong
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])


def test_middleware_responses_are_logged(written: Written, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/").status_code == 301
    settings.SECURE_SSL_REDIRECT = False
    assert Client(enforce_csrf_checks=True).post("/accounts/guest/").status_code == 403
    settings.SETUP_PROBLEM = "CONFIG_FILE is not set."
    assert Client().get("/").status_code == 503
    routes = [(line["status"], line["route"]) for line in written() if "status" in line]
    assert routes == [(301, None), (403, "/accounts/guest/"), (503, None)]
    line, word_of_django = written()[-2:]
    assert (word_of_django["level"], word_of_django["message"]) == ("ERROR", "Service Unavailable: /")
    assert word_of_django["request_id"] == line["request_id"]


@pytest.mark.process
def test_play_logs_plain_text() -> None:
    with only_one_plays(), playing(errors=subprocess.PIPE) as (address, process):
        assert Player(address).name
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert out == ""
    assert "{" not in err
