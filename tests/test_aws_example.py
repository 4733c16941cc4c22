"""The site works on a table made by the AWS example, with that example's table definition and items."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.html import escape

from dynamodb.client import shared_client, warm_up
from dynamodb.items import TableItem
from games.match import Status
from games.models import Game
from games.signing import signed
from games.storage import store
from tests.conftest import Cast, drop_table, stored
from tests.support.pages import JSON, position_in
from tictactoe_site import config, table

EXAMPLE = json.loads((Path(__file__).parent / "aws_example_table.json").read_text())

IN_PROGRESS_EMPTY = "c1171a14-33b9-42ff-acdb-1db6cd74d1a2"
IN_PROGRESS = "15a04119-d361-4ae7-aa80-d540a7b61392"
WON_NOT_MARKED = "c0a09016-322e-44d4-8a4d-e80faedce1c2"
PENDING = "3a5865b2-e4ca-4fb7-b831-ee712c201d49"
TIED = "34c56ace-1b57-45cf-8f08-c2ff8ab399e7"


@pytest.fixture
def example(games_table: str) -> Iterator[Any]:
    """Create the example's table under a separate name and bind the site to it; yield the botocore client."""
    name = "AwsExampleGames"
    table.bind(config.for_endpoint(games_table, base=config.Config(table=name), environ={}), patient=True)
    warm_up()
    client = shared_client()
    client.create_table(**EXAMPLE["CreateTable"] | {"TableName": name})
    client.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": item}} for item in EXAMPLE["Items"]]})
    yield client
    drop_table(name)


@pytest.fixture
def testuser1(example: Any, log_in: Cast) -> Client:
    return log_in("testuser1")


@pytest.fixture
def testuser2(example: Any, log_in: Cast) -> Client:
    return log_in("testuser2")


@pytest.fixture
def testuser3(example: Any, log_in: Cast) -> Client:
    return log_in("testuser3")


def lists(client: Client) -> dict[str, set[str]]:
    found = client.get("/", headers=JSON).json()
    return {name: {game["gameId"][:4] for game in games} for name, games in found.items() if isinstance(games, list)}


def test_example_games_are_in_the_right_lists(testuser1: Client, testuser2: Client, testuser3: Client) -> None:
    finished = {"2ae8", "763d", "34c5"}
    assert lists(testuser1) == {
        "invitations": {"ba21"},
        "waiting": {"3a58"},
        "playing": {"c117", "15a0", "71af"},
        "finished": finished | {"c0a0"},
        "damaged": set(),
    }
    assert lists(testuser2) == {
        "invitations": {"3a58"},
        "waiting": {"ba21"},
        "playing": {"c117", "15a0", "71af"},
        "finished": finished,
        "damaged": set(),
    }
    nothing: dict[str, set[str]] = {name: set() for name in ("invitations", "waiting", "playing", "damaged")}
    assert lists(testuser3) == nothing | {"finished": {"c0a0"}}


@pytest.mark.parametrize("item", EXAMPLE["Items"], ids=lambda item: item["GameId"]["S"][:4])
def test_each_example_game_is_shown_to_players_and_visitors(testuser1: Client, item: dict[str, Any]) -> None:
    url = f"/games/{item['GameId']['S']}/"
    for client in (Client(), testuser1):
        assert client.get(url).status_code == 200
    state = Client().get(f"{url}state/").json()
    assert (state["host"], state["opponent"]) == (item["HostId"]["S"], item["OpponentId"]["S"])
    squares = [item.get(name, {"S": " "})["S"] for name in ("TopLeft", "TopMiddle", "TopRight")]
    assert state["board"][:3] == squares


@pytest.mark.parametrize("with_position", [True, False])
def test_running_game_can_be_played_to_its_end(testuser1: Client, testuser2: Client, with_position: bool) -> None:
    """O has top left, X has top right and centre; testuser1 plays O and is to move."""
    url = f"/games/{IN_PROGRESS}/"
    moves = [("TopMiddle", testuser1), ("BottomRight", testuser2), ("MiddleLeft", testuser1), ("BottomLeft", testuser2)]
    for square, client in moves:
        form = {"square": square} | ({"position": position_in(client.get(url))} if with_position else {})
        answer = client.post(f"{url}move/", form)
        assert answer.status_code == 303, answer.content.decode()
    item = stored(IN_PROGRESS)
    assert (item.result, item.turn, item.match().status) == ("testuser2", "N/A", Status.FINISHED)
    assert item.recorded_moves is None
    assert "You won!" in testuser2.get(url).content.decode()


def test_second_move_on_same_position_is_409_and_retry_is_200(testuser1: Client) -> None:
    url = f"/games/{IN_PROGRESS}/"
    position = position_in(testuser1.get(url))
    answers = [
        testuser1.post(f"{url}move/", {"square": square, "position": position}, headers=JSON).status_code
        for square in ("TopMiddle", "BottomRight", "TopMiddle")
    ]
    assert answers == [200, 409, 200]
    assert stored(IN_PROGRESS).match().board == "OOX X    "


def test_game_without_moves_starts_recording_order(testuser2: Client) -> None:
    testuser2.post(f"/games/{IN_PROGRESS_EMPTY}/move/", {"square": "BottomRight"})
    assert stored(IN_PROGRESS_EMPTY).recorded_moves == "8"


def test_old_pending_invitation_can_be_accepted(testuser1: Client, testuser2: Client) -> None:
    assert testuser1.post(f"/games/{PENDING}/accept/").status_code == 403
    assert testuser2.post(f"/games/{PENDING}/accept/").status_code == 303
    assert stored(PENDING).match().status is Status.IN_PROGRESS


def test_old_pending_invitation_can_be_declined_or_moved_in(testuser1: Client, testuser2: Client) -> None:
    assert testuser2.post(f"/games/{PENDING}/move/", {"square": "TopLeft"}).status_code == 303
    assert stored(PENDING).recorded_moves == "0"
    assert testuser1.post("/games/ba21491f-a606-457e-86ad-ba7f582c487d/decline/").status_code == 303


@pytest.mark.parametrize("name", ["a/b", "<b>bold</b>", "Ä Ö", "x" * 200])
def test_names_invalid_for_signup_are_displayed_escaped(testuser1: Client, name: str) -> None:
    for item in EXAMPLE["Items"]:
        others = {"testuser2", "testuser3"}
        named = {key: {"S": name} if value["S"] in others else value for key, value in item.items()}
        shared_client().put_item(TableName=Game.Meta.table_name, Item=named)
        assert testuser1.get(f"/games/{item['GameId']['S']}/").status_code == 200, item
    for path in ("/", "/players/testuser1/"):
        assert escape(name) in testuser1.get(path).content.decode()


def test_won_game_is_marked_finished_only_by_a_players_view(
    testuser1: Client, testuser2: Client, testuser3: Client
) -> None:
    url = f"/games/{WON_NOT_MARKED}/"
    before = stored(WON_NOT_MARKED).attribute_values
    for spectator in (Client(), testuser2):
        assert "testuser3 won." in spectator.get(url).content.decode()
        assert spectator.post(f"{url}move/", {"square": "BottomRight"}).status_code == 403
    assert Client().get(f"{url}state/").json()["result"] == "testuser3"
    assert stored(WON_NOT_MARKED).attribute_values == before
    assert "You lost. testuser3 won." in testuser1.get(url).content.decode()
    item = stored(WON_NOT_MARKED)
    assert item.status_date.startswith("FINISHED_20")
    assert (item.result, item.turn, item.match().board) == ("testuser3", "N/A", "XXXOO    ")
    assert "You won!" in testuser3.get(url).content.decode()


def test_move_in_won_game_is_409_and_marks_it_finished(testuser1: Client) -> None:
    answer = testuser1.post(f"/games/{WON_NOT_MARKED}/move/", {"square": "BottomRight"}, headers=JSON)
    assert (answer.status_code, answer.json()["result"]) == (409, "testuser3")
    assert stored(WON_NOT_MARKED).status_date.startswith("FINISHED_20")


@pytest.mark.parametrize("with_position", [True, False])
def test_rematch_of_won_game_marks_it_finished(testuser1: Client, with_position: bool) -> None:
    """The position comes from a page that was shown while writes were failing."""
    fields = {"position": signed(stored(WON_NOT_MARKED).match())} if with_position else {}
    answer = testuser1.post(f"/games/{WON_NOT_MARKED}/rematch/", fields, headers=JSON)
    assert (answer.status_code, answer.json()["opponent"], answer.json()["status"]) == (201, "testuser3", "PENDING")
    assert stored(WON_NOT_MARKED).result == "testuser3"


def test_resign_in_won_game_is_409(testuser1: Client) -> None:
    answer = testuser1.post(f"/games/{WON_NOT_MARKED}/resign/", headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (409, "This game is over.")
    assert stored(WON_NOT_MARKED).result is None


def test_settle_is_idempotent_for_stale_match(example: Any) -> None:
    stale = stored(WON_NOT_MARKED).match()
    first = store.settle(stale, datetime.now(UTC))
    assert store.settle(stale, datetime.now(UTC)).status_date == first.status_date


def test_settle_changes_nothing_if_board_has_changed(example: Any) -> None:
    stale = stored(WON_NOT_MARKED).match()
    Game(WON_NOT_MARKED).update([Game.top_right.remove(), Game.bottom_right.set("X")])
    assert store.settle(stale, datetime.now(UTC)).board == "XX OO   X"
    assert stored(WON_NOT_MARKED).match().status is Status.IN_PROGRESS


def test_tied_game_shows_its_result(testuser1: Client) -> None:
    assert "It&#39;s a tie." in testuser1.get(f"/games/{TIED}/").content.decode()


def test_inspect_table_knows_the_first_version(example: Any) -> None:
    name = "FirstVersion"
    definition = deepcopy(EXAMPLE["CreateTable"])
    definition["GlobalSecondaryIndexes"][0]["IndexName"] = "hostStatusDate"
    definition["GlobalSecondaryIndexes"][1]["IndexName"] = "opponentStatusDate"
    example.create_table(**definition | {"TableName": name})
    TableItem.Meta.table_name = name
    out = StringIO()
    with pytest.raises(CommandError, match="can't use the table FirstVersion"):
        call_command("inspect_table", stdout=out)
    assert (
        "BROKEN     This table was made by the AWS example's first version. Give it the two indexes" in out.getvalue()
    )
    drop_table(name)


def test_inspect_table_reports_differences_and_no_breakage(example: Any) -> None:
    out = StringIO()
    call_command("inspect_table", stdout=out)
    text = out.getvalue()
    assert text.count("projects ALL attributes") == 2
    assert "each move costs 3 write units" in text
    assert "provisioned (1 read, 1 write units)" in text
    assert "TTL is off" in text
    assert "BROKEN" not in text


def test_create_table_keeps_existing_items(example: Any) -> None:
    before = sorted(game.game_id for game in Game.scan())
    call_command("create_table", stdout=StringIO(), stderr=StringIO())
    assert sorted(game.game_id for game in Game.scan()) == before
