"""How often DynamoDB is asked, and when no more: the time bounds themselves are tested in test_outage."""

from typing import Any

import pytest
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


@pytest.fixture
def tries() -> list[str]:
    """Every try that goes out, of a client that keeps the bounds, to where nothing listens."""
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
def test_a_request_that_nobody_answers_is_tried_six_times(tries: list[str]) -> None:
    assert "nothing accepts connections" in ask()
    assert len(tries) == retries.TRIES == 6


@pytest.mark.usefixtures("no_pauses")
def test_after_eight_silent_tries_requests_end_at_once_and_still_say_why(
    tries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "PROBE_SECONDS", 60)
    for _ in range(3):
        assert "nothing accepts connections" in ask()
    assert len(tries) == retries.SILENT_TRIES == 8


@pytest.mark.usefixtures("no_pauses")
def test_now_and_then_one_try_looks_whether_it_is_back(tries: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        ask()
    monkeypatch.setattr(retries, "PROBE_SECONDS", 0)
    before = len(tries)
    ask()
    assert len(tries) > before


def test_one_answer_closes_the_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PROBE_SECONDS", 60)
    circuit = retries.Circuit()
    for _ in range(retries.SILENT_TRIES):
        circuit.admit()
        circuit.note(OSError())
    with pytest.raises(retries.NothingAnswers):
        circuit.admit()
    circuit.note(None)
    circuit.admit()


def test_without_time_left_nothing_is_sent(tries: list[str]) -> None:
    with retries.within(retries.CONNECT_SECONDS + retries.ANSWER_SECONDS - 0.1):
        assert "did not answer in time" in ask()
    assert tries == []


def test_with_little_time_left_there_is_no_further_try(tries: list[str]) -> None:
    with retries.within(retries.CONNECT_SECONDS + retries.ANSWER_SECONDS + 0.02):
        ask()
    assert 1 <= len(tries) < retries.TRIES


def test_both_queries_of_the_lobby_share_the_time_of_the_request(tries: list[str]) -> None:
    with retries.within(0), pytest.raises(StoreUnavailable):
        lobbies.newest("alice", now())
    assert tries == []


def test_every_request_to_the_site_has_a_limit(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "REQUEST_SECONDS", 0)
    assert alice.get(f"/games/{GAME}/").status_code == 503


def test_pauses_are_random_and_their_range_doubles(monkeypatch: pytest.MonkeyPatch, tries: list[str]) -> None:
    ranges: list[tuple[float, float]] = []

    def shortest(least: float, most: float) -> float:
        ranges.append((least, most))
        return least

    monkeypatch.setattr("random.uniform", shortest)
    ask()
    assert ranges == [(0, 0.05), (0, 0.1), (0, 0.2), (0, 0.4), (0, 0.8)]


def test_the_bounds_add_up_to_the_promise() -> None:
    one_try = retries.CONNECT_SECONDS + retries.ANSWER_SECONDS
    assert one_try < retries.REQUEST_SECONDS < 5
