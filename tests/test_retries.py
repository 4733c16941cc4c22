"""Retries and the circuit breaker: how many tries are sent, and when none. test_outage tests actual times."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from django.test import Client
from django.utils.timezone import now

from dynamodb import retries
from dynamodb.client import shared_client, warm_up
from dynamodb.errors import StoreUnavailable
from games.storage import lobby as lobbies
from games.storage import queries
from tests.support.engines import free_port
from tictactoe_site import config, table

GAME = "00000000-0000-4000-8000-000000000000"
pytestmark = pytest.mark.usefixtures("games_table")


@pytest.fixture(autouse=True)
def patient_requests() -> None:
    """Keep the site's time limit, which these tests are about."""


@pytest.fixture
def tries() -> list[str]:
    """Bind the site, with its usual timeouts, to a port where nothing listens; return the list of tries sent."""
    table.bind(config.for_endpoint(f"http://127.0.0.1:{free_port()}", environ={}))
    warm_up()
    sent: list[str] = []

    def note(request: Any, event_name: str, **_: Any) -> None:
        sent.append(event_name)

    shared_client().meta.events.register("before-send.dynamodb", note)
    return sent


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0)


def ask() -> str:
    with pytest.raises(StoreUnavailable) as refused:
        queries.game(GAME)
    return str(refused.value)


@pytest.mark.usefixtures("no_pauses")
def test_unanswered_request_is_tried_six_times(tries: list[str]) -> None:
    assert "nothing accepts connections" in ask()
    assert len(tries) == retries.TRIES == 6


@pytest.mark.usefixtures("no_pauses")
def test_circuit_opens_after_eight_unanswered_tries(tries: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PROBE_SECONDS", 60)
    for _ in range(3):
        assert "nothing accepts connections" in ask()
    assert len(tries) == retries.SILENT_TRIES == 8


@pytest.mark.usefixtures("no_pauses")
def test_open_circuit_lets_a_probe_through(tries: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        ask()
    monkeypatch.setattr(retries, "PROBE_SECONDS", 0)
    before = len(tries)
    ask()
    assert len(tries) > before


def test_answer_closes_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PROBE_SECONDS", 60)
    circuit = retries.Circuit()
    for _ in range(retries.SILENT_TRIES):
        circuit.admit()
        circuit.note(OSError())
    with pytest.raises(retries.NothingAnswers):
        circuit.admit()
    circuit.note(None)
    circuit.admit()


def test_nothing_is_sent_without_time_left(tries: list[str]) -> None:
    with retries.within(retries.CONNECT_SECONDS + retries.ANSWER_SECONDS - 0.1):
        assert "didn't answer in time" in ask()
    assert tries == []


def test_no_retry_with_little_time_left(tries: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "time", SimpleNamespace(monotonic=lambda: 0.0))  # A busy machine would use it up.
    with retries.within(retries.CONNECT_SECONDS + retries.ANSWER_SECONDS + 0.02):
        ask()
    assert 1 <= len(tries) < retries.TRIES


def test_lobby_queries_share_request_deadline(tries: list[str]) -> None:
    with retries.within(0), pytest.raises(StoreUnavailable):
        lobbies.newest("alice", now())
    assert tries == []


def test_every_request_has_a_deadline(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "REQUEST_SECONDS", 0)
    assert alice.get(f"/games/{GAME}/").status_code == 503


def test_pauses_are_random_with_doubling_range(monkeypatch: pytest.MonkeyPatch, tries: list[str]) -> None:
    ranges: list[tuple[float, float]] = []

    def shortest(least: float, most: float) -> float:
        ranges.append((least, most))
        return least

    monkeypatch.setattr("random.uniform", shortest)
    ask()
    assert ranges == [(0, 0.05), (0, 0.1), (0, 0.2), (0, 0.4), (0, 0.8)]


def test_request_to_silent_dynamodb_is_answered_within_five_seconds(
    tries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is simulated: each try takes as long as the client lets it, and each pause is the longest."""
    passed = [0.0]
    client = shared_client()

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    def silence(**_: Any) -> None:
        sleep(client.meta.config.connect_timeout + client.meta.config.read_timeout)
        raise ReadTimeoutError(endpoint_url=client.meta.endpoint_url)

    client.meta.events.register_last("before-send.dynamodb", silence)
    monkeypatch.setattr(retries, "time", SimpleNamespace(monotonic=lambda: passed[0]))
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    assert Client().get(f"/games/{GAME}/").status_code == 503
    assert len(tries) == 2
    assert 3 < passed[0] < 5
