"""What a game costs, from ConsumedCapacity: exact figures, not timings. moto's figures are constants, so not judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from games import rules, table
from tests.conftest import Cast
from tests.pages import position_in

NINE_MOVES = "021354678"


@dataclass
class Meter:
    """The requests made of DynamoDB, and the units they consumed."""

    calls: list[tuple[str, float]] = field(default_factory=list)

    def note(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", {})
        each = consumed if isinstance(consumed, list) else [consumed]
        self.calls.append((model.name, sum(part.get("CapacityUnits", 0) for part in each)))

    @property
    def operations(self) -> list[str]:
        return [name for name, _ in self.calls]

    def units(self, *operations: str) -> float:
        return sum(units for name, units in self.calls if name in operations)


@pytest.fixture
def meter(games_table: str) -> Iterator[Meter]:
    events = table.client().meta.events
    meter = Meter()
    events.register("after-call.dynamodb", meter.note)
    yield meter
    events.unregister("after-call.dynamodb", meter.note)


@pytest.fixture
def exact(request: pytest.FixtureRequest) -> bool:
    """Whether the engine's figures are DynamoDB's."""
    return "dynamodb_local" in request.node.name


@pytest.mark.parametrize("cast", [("alice", "bob"), ("guest", "guest")])
def test_a_nine_move_game_is_11_requests_21_write_units_and_no_read(
    cast: tuple[str, str], log_in: Cast, meter: Meter, exact: bool
) -> None:
    host, opponent = (log_in(name) if name != "guest" else guest() for name in cast)
    name = opponent.get("/", headers={"accept": "application/json"}).json()["player"]
    meter.calls.clear()
    url = host.post("/games/new/", {"opponent": name})["Location"]
    page = opponent.post(f"{url}accept/", headers={"hx-request": "true"})
    for number, digit in enumerate(NINE_MOVES):
        mover = opponent if number % 2 == 0 else host
        form = {"square": rules.SQUARES[int(digit)], "position": position_in(page)}
        page = mover.post(f"{url}move/", form, headers={"hx-request": "true", "accept": "application/json"})
        assert page.status_code == 200
    assert page.json()["result"] == "Tie"
    assert meter.operations == ["PutItem"] + ["UpdateItem"] * 10
    if exact:
        assert meter.units("PutItem", "UpdateItem") == 21


def guest() -> Client:
    client = Client()
    client.post("/accounts/guest/")
    return client


def test_a_first_move_that_accepts_costs_no_more_than_accepting(
    alice: Client, bob: Client, meter: Meter, exact: bool
) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    position = position_in(bob.get(url))
    meter.calls.clear()
    assert bob.post(f"{url}move/", {"square": "TopLeft", "position": position}).status_code == 303
    assert meter.operations == ["UpdateItem"]
    if exact:
        assert meter.units("UpdateItem") == 5


def test_a_move_without_its_position_costs_one_consistent_read_more(alice: Client, bob: Client, meter: Meter) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    meter.calls.clear()
    assert bob.post(f"{url}move/", {"square": "TopLeft"}).status_code == 303
    assert meter.operations == ["GetItem", "UpdateItem"]


def test_a_lost_race_costs_no_read(alice: Client, bob: Client, meter: Meter) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    position = position_in(bob.get(url))
    bob.post(f"{url}move/", {"square": "TopLeft", "position": position})
    meter.calls.clear()
    lost = bob.post(f"{url}move/", {"square": "TopRight", "position": position}, headers={"accept": "application/json"})
    assert (lost.status_code, lost.json()["moves"]) == (409, "0")
    assert meter.operations == ["UpdateItem"]


def test_a_game_against_the_computer_is_one_request_a_turn(alice: Client, meter: Meter) -> None:
    meter.calls.clear()
    url = alice.post("/games/new/", {"opponent": "computer"})["Location"]
    assert meter.operations == ["PutItem"]
    page = alice.get(url)
    meter.calls.clear()
    moves = 0
    for square in rules.SQUARES:
        answer = alice.post(
            f"{url}move/", {"square": square, "position": position_in(page)}, headers={"accept": "application/json"}
        )
        moves += answer.status_code == 200
        page = answer if answer.status_code == 200 else page
    assert 1 < moves < 5
    assert meter.operations.count("UpdateItem") == moves
    # Squares that were taken were refused without a write, and the refusal's board was read.
    assert meter.operations.count("GetItem") == len(rules.SQUARES) - moves
    assert page.json()["status"] == "FINISHED"


def test_the_lobby_is_two_queries_and_one_batch_read(alice: Client, bob: Client, meter: Meter) -> None:
    for _ in range(3):
        bob.post(f"{alice.post('/games/new/', {'opponent': 'bob'})['Location']}accept/")
    meter.calls.clear()
    assert alice.get("/").status_code == 200
    assert sorted(meter.operations) == ["BatchGetItem", "Query", "Query"]


def test_a_lobby_without_games_in_progress_is_two_queries(alice: Client, meter: Meter) -> None:
    meter.calls.clear()
    alice.get("/")
    assert meter.operations == ["Query", "Query"]
