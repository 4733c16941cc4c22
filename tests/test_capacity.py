"""What a game costs, from ConsumedCapacity: exact, not timings. We ignore moto's, which are constants."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from dynamodb import provisioning
from dynamodb.client import warm_up
from games import rules
from games.match import Status
from games.storage import lobby as lobbies
from games.storage import store
from tests.conftest import Cast, drop_table, stored
from tests.support.consumed import Meter
from tests.support.many import game_of, ids, put, summaries, walked
from tests.support.pages import HTMX, JSON, position_in
from tictactoe_site import config, table

NINE_MOVES = "021354678"


PLAYERS = {
    "players": ("alice", "bob"),
    "guests": ("guest", "guest"),
    "a guest invited by a player": ("alice", "guest"),
    "a player invited by a guest": ("guest", "bob"),
}


@pytest.mark.parametrize("cast", PLAYERS.values(), ids=PLAYERS)
def test_nine_move_game_costs_11_requests_21_write_units_no_reads(
    cast: tuple[str, str], log_in: Cast, meter: Meter, exact: bool
) -> None:
    host, opponent = (log_in(name) if name != "guest" else guest() for name in cast)
    name = opponent.get("/", headers=JSON).json()["player"]
    meter.calls.clear()
    url = host.post("/games/new/", {"opponent": name})["Location"]
    check_a_game(url, host, opponent, meter, exact=exact)


def test_game_against_unclaimed_name_costs_the_same(log_in: Cast, meter: Meter, exact: bool) -> None:
    host = log_in("alice")
    meter.calls.clear()
    url = host.post("/games/new/", {"opponent": "bob"})["Location"]
    invitation = list(meter.calls)
    opponent = log_in("bob")
    meter.calls[:] = invitation
    check_a_game(url, host, opponent, meter, exact=exact)


def check_a_game(url: str, host: Client, opponent: Client, meter: Meter, *, exact: bool) -> None:
    """Play a nine-move tie, sending positions as the page does; check the metered requests, from the invitation on."""
    metered = list(meter.calls)
    position = position_in(opponent.get(url))
    meter.calls[:] = metered
    page = opponent.post(f"{url}accept/", {"position": position}, headers=HTMX)
    for number, digit in enumerate(NINE_MOVES):
        mover = opponent if number % 2 == 0 else host
        form = {"square": rules.SQUARES[int(digit)], "position": position_in(page)}
        page = mover.post(f"{url}move/", form, headers=HTMX | JSON)
        assert page.status_code == 200
    assert page.json()["result"] == "Tie"
    assert meter.operations == ["PutItem"] + ["UpdateItem"] * 10
    if exact:
        assert [units for _, units in meter.calls] == [3, 5, 1, 1, 1, 1, 1, 1, 1, 1, 5]


def test_accept_by_link_costs_one_update(meter: Meter, exact: bool) -> None:
    host, opponent = guest(), guest()
    url = host.post("/games/new/", {"opponent": ""})["Location"]
    meter.calls.clear()
    opponent.post(f"{url}accept/")
    assert meter.operations == ["UpdateItem"]
    if exact:
        assert meter.units("UpdateItem") <= 5


def guest() -> Client:
    client = Client()
    client.post("/accounts/guest/")
    return client


def test_first_move_that_accepts_costs_one_update(alice: Client, bob: Client, meter: Meter, exact: bool) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    position = position_in(bob.get(url))
    meter.calls.clear()
    assert bob.post(f"{url}move/", {"square": "TopLeft", "position": position}).status_code == 303
    assert meter.operations == ["UpdateItem"]
    if exact:
        assert meter.units("UpdateItem") == 5


def test_move_without_position_costs_one_extra_read(alice: Client, bob: Client, meter: Meter) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    meter.calls.clear()
    assert bob.post(f"{url}move/", {"square": "TopLeft"}).status_code == 303
    assert meter.operations == ["GetItem", "UpdateItem"]


def test_lost_race_costs_no_read(alice: Client, bob: Client, meter: Meter) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    position = position_in(bob.get(url))
    bob.post(f"{url}move/", {"square": "TopLeft", "position": position})
    meter.calls.clear()
    lost = bob.post(f"{url}move/", {"square": "TopRight", "position": position}, headers=JSON)
    assert (lost.status_code, lost.json()["moves"]) == (409, "0")
    assert meter.operations == ["UpdateItem"]


def test_computer_game_costs_one_request_per_turn(alice: Client, meter: Meter) -> None:
    meter.calls.clear()
    url = alice.post("/games/new/", {"opponent": "computer"})["Location"]
    assert meter.operations == ["PutItem"]
    page = alice.get(url)
    meter.calls.clear()
    moves = 0
    for square in rules.SQUARES:
        answer = alice.post(f"{url}move/", {"square": square, "position": position_in(page)}, headers=JSON)
        moves += answer.status_code == 200
        page = answer if answer.status_code == 200 else page
    assert 1 < moves < 5
    assert meter.operations.count("UpdateItem") == moves
    # A taken square is refused without a write; its 409 reads the board once.
    assert meter.operations.count("GetItem") == len(rules.SQUARES) - moves
    assert page.json()["status"] == "FINISHED"


@pytest.mark.usefixtures("games_table")
def test_expiry_of_a_game_against_the_computer_costs_nothing(meter: Meter, exact: bool) -> None:
    game = store.challenge_computer(host="alice", host_begins=True)
    over = store.resign(game, player="alice")
    assert (bool(game.expires_at), over.expires_at) == (True, None)
    if exact:
        assert [units for _, units in meter.calls] == [2, 3]


@pytest.mark.parametrize("old", ["alice", "bob"])
@pytest.mark.usefixtures("games_table")
def test_another_name_costs_one_update_of_four_units_a_game(old: str, meter: Meter, exact: bool) -> None:
    [game_id] = put([game_of(Status.FINISHED, 0, "alice", "bob", result="bob")])
    game = stored(game_id).match()
    meter.calls.clear()
    store.rename(game, old=old, new="dora")
    assert meter.operations == ["UpdateItem"]
    if exact:
        assert meter.units("UpdateItem") == 4


def test_lobby_costs_two_queries_and_one_batch_read(alice: Client, bob: Client, meter: Meter) -> None:
    for _ in range(3):
        bob.post(f"{alice.post('/games/new/', {'opponent': 'bob'})['Location']}accept/")
    meter.calls.clear()
    assert alice.get("/").status_code == 200
    assert sorted(meter.operations) == ["BatchGetItem", "Query", "Query"]


def test_lobby_without_running_games_costs_two_queries(alice: Client, meter: Meter) -> None:
    meter.calls.clear()
    alice.get("/")
    assert meter.operations == ["Query", "Query"]


MANY = 4000


@pytest.fixture
def few_and_many(engine: str, games_table: str) -> Iterator[tuple[str, str]]:
    """Yield two players with 10 and 4,000 finished games, half of them as opponent; all names have 20 characters.

    The games have their own table, because dropping it is faster than deleting them.
    """
    table.bind(config.for_endpoint(engine, base=config.Config(table="ManyGames"), environ={}), patient=True)
    provisioning.create(lambda line: None)
    warm_up()
    few, many, other = (letter * 20 for letter in "abc")
    for player, games in ((few, 10), (many, MANY)):
        pairs = ((player, other), (other, player))
        put(game_of(Status.FINISHED, second, *pairs[second % 2]) for second in range(games))
    yield few, many
    drop_table("ManyGames")


@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
def test_lobby_and_page_cost_is_independent_of_history_size(
    few_and_many: tuple[str, str], log_in: Cast, meter: Meter
) -> None:
    few, many = map(log_in, few_and_many)
    meter.calls.clear()
    few.get("/")
    assert meter.calls == [("Query", 0.5)] * 2
    older = measured(summaries(many, "older"), meter)
    newer = measured(summaries(many, "newer", older[-1]["newer"]), meter)
    seen = walked(map(ids, older))
    assert len(set(seen)) == len(seen) == MANY
    assert sorted(walked(map(ids, [older[-1], *newer]))) == sorted(seen)


def measured(pages: Iterator[dict[str, Any]], meter: Meter) -> list[dict[str, Any]]:
    """Return the pages, checking that each took one query per index, at half a read unit."""
    found = []
    meter.calls.clear()
    for page in pages:
        found.append(page)
        assert meter.calls == [("Query", 0.5)] * 2
        meter.calls.clear()
    return found


@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
@pytest.mark.usefixtures("games_table")
def test_first_query_of_longest_entries_costs_half_a_unit(meter: Meter) -> None:
    """A page in the middle, all in one index: 20-character names, and the expiry time of guests' games."""
    host, opponent = "h" * 20, "o" * 20
    put(game_of(Status.FINISHED, second, host, opponent, expires_at=2_000_000_001) for second in range(50))
    lobby = lobbies.newest(host, now())
    meter.calls.clear()
    assert len(lobbies.page(host, now(), before=str(lobby.older)).finished) == lobbies.FINISHED_ON_A_PAGE
    # DynamoDB Local charges nothing for the query of the other index, which is empty.
    assert (meter.operations, meter.units("Query")) == (["Query"] * 2, 0.5)


@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
def test_lobby_with_thirty_invitations_each_way_costs_four_queries(alice: Client, meter: Meter) -> None:
    pairs = (("alice", "bob"), ("bob", "alice"))
    for status, count in ((Status.PENDING, 60), (Status.IN_PROGRESS, 10), (Status.FINISHED, 100)):
        put(game_of(status, second, *pairs[second % 2]) for second in range(count))
    meter.calls.clear()
    alice.get("/")
    assert sorted(meter.operations) == ["BatchGetItem", *["Query"] * 4]


@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
@pytest.mark.usefixtures("games_table")
def test_lobby_reads_no_more_invitations_than_it_shows(meter: Meter) -> None:
    put(game_of(Status.PENDING, second, "bob", "alice") for second in range(400))
    meter.calls.clear()
    assert len(lobbies.newest("alice", now()).received) == lobbies.MOST
    # One query of the empty index, and three of the other: 22, 100 and 100 entries.
    assert meter.operations == ["Query"] * 4
