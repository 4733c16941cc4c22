"""Games that other programs wrote: what stands for nothing, what contradicts itself, and times that can't be."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.names import printable
from dynamodb.client import shared_client
from games.match import Status
from games.models import Game
from games.rules import SQUARES
from games.storage import limits, lobby, queries, records, store
from tests.conftest import stored
from tests.support.many import game_of, put
from tests.support.pages import HTMX, JSON, position_in

NOTHING = {"NULL": {"NULL": True}, "empty": {"S": ""}, "blank": {"S": " "}}
IN_MS = 1_800_000_000_000


@pytest.fixture
def alice(games_table: str, log_in: Callable[[str], Client]) -> Client:
    return log_in("alice")


@pytest.fixture
def bob(games_table: str, log_in: Callable[[str], Client]) -> Client:
    return log_in("bob")


def made(status: Status = Status.IN_PROGRESS, **attributes: Any) -> str:
    """Store a game of alice, who plays O, and bob, who is to move; return its path."""
    [game_id] = put([game_of(status, 0, "alice", "bob", **{"turn": "bob"} | attributes)])
    return f"/games/{game_id}/"


def change(path: str, **values: dict[str, Any]) -> None:
    """Set attributes of the item to raw values."""
    names = {f"#{number}": name for number, name in enumerate(values)}
    shared_client().update_item(
        TableName=Game.Meta.table_name,
        Key={"GameId": {"S": path.split("/")[2]}},
        UpdateExpression="SET " + ", ".join(f"#{number} = :{number}" for number in range(len(values))),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={f":{number}": value for number, value in enumerate(values.values())},
    )


def game_in(path: str) -> Game:
    return stored(path.split("/")[2])


def press(player: Client, path: str, square: str) -> int:
    position = position_in(player.get(path))
    return player.post(f"{path}move/", {"square": square, "position": position}, headers=JSON).status_code


@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING)
def test_what_stands_for_nothing_is_nothing(alice: Client, bob: Client, nothing: dict[str, Any]) -> None:
    path = made()
    texts = ("OUser", "Turn", "Moves", "Result", "Ending", "ByLink", "Computer", *SQUARES)
    change(path, **dict.fromkeys(texts, nothing))
    assert press(bob, path, "TopLeft") == 200
    assert press(alice, path, "TopMiddle") == 200
    assert game_in(path).match().moves == "01"
    for player in (alice, bob):
        page = player.get(path).content.decode() + player.get("/").content.decode()
        assert "None" not in page
        assert path in page


@pytest.mark.parametrize("nothing", [{"NULL": True}, {"N": "0"}], ids=["NULL", "0"])
def test_no_number_is_no_time_limit(alice: Client, bob: Client, nothing: dict[str, Any]) -> None:
    path = made()
    change(path, Pace=nothing, Deadline=nothing, ExpiresAt=nothing)
    assert press(bob, path, "TopLeft") == 200
    assert (game_in(path).match().pace, game_in(path).deadline) == (None, None)
    assert alice.post(f"{path}resign/", headers=JSON).status_code == 200


@pytest.mark.parametrize("nothing", [NOTHING["empty"], NOTHING["blank"]], ids=["empty", "blank"])
@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)  # moto can't compare a string with a number
def test_text_that_is_no_number_is_no_time_limit(alice: Client, bob: Client, nothing: dict[str, Any]) -> None:
    path = made(Status.PENDING)
    change(path, Pace=nothing, Deadline=nothing, ExpiresAt=nothing, Turn=nothing)
    assert press(bob, path, "TopLeft") == 200


def test_pace_without_deadline_begins_with_the_next_move(alice: Client, bob: Client) -> None:
    path = made(pace=300)
    assert press(bob, path, "TopLeft") == 200
    assert game_in(path).deadline is not None
    assert press(alice, path, "TopMiddle") == 200


@pytest.mark.parametrize("result", ["alice", "carol", "Tie", None])
def test_decided_board_decides_and_a_view_corrects_the_item(alice: Client, bob: Client, result: str | None) -> None:
    won = {"top_left": "X", "top_middle": "X", "top_right": "X", "middle_left": "O", "middle_middle": "O"}
    path = made(Status.FINISHED, **won, turn="N/A", result=result)
    before = game_in(path).status_date
    assert "bob won." in Client().get(path).content.decode()
    assert game_in(path).result == result, "spectators change nothing"
    assert "You won!" in bob.get(path).content.decode()
    assert (game_in(path).result, game_in(path).status_date) == ("bob", before)
    assert "You lost. bob won." in alice.get(path).content.decode()


@pytest.mark.parametrize(
    ("status", "attributes", "sentence"),
    [
        (Status.FINISHED, {"turn": "N/A", "result": "carol"}, "stored result names neither of its players"),
        (Status.FINISHED, {"turn": "N/A", "result": None}, "stored result names neither of its players"),
        (Status.IN_PROGRESS, {"turn": "alice"}, "stored turn isn&#39;t the one that its board shows"),
        (Status.IN_PROGRESS, {"turn": "carol"}, "stored turn isn&#39;t the one that its board shows"),
        (Status.IN_PROGRESS, {"turn": "N/A"}, "stored turn isn&#39;t the one that its board shows"),
        (Status.PENDING, {"turn": "alice"}, "stored turn isn&#39;t the one that its board shows"),
        (Status.IN_PROGRESS, {"deadline": IN_MS}, "deadline isn&#39;t in seconds"),
    ],
)
def test_contradictions_are_a_damaged_game(
    alice: Client, status: Status, attributes: dict[str, Any], sentence: str
) -> None:
    path = made(status, **attributes)
    for where in (path, f"{path}state/"):
        answer = alice.get(where)
        assert answer.status_code == 409
    assert sentence in alice.get(path).content.decode()
    assert alice.get("/").status_code == 200


@pytest.mark.parametrize(
    ("turn", "o_user", "begins"),
    [("bob", "alice", "bob"), ("alice", "bob", "alice"), (None, "bob", "alice"), (None, None, "bob")]
    + [(turn, o_user, None) for turn in ("alice", "carol", "N/A") for o_user in ("alice", None)]
    + [("bob", "bob", None)],
)
def test_accepting_from_the_lobby_begins_no_damaged_game(
    alice: Client, bob: Client, turn: str | None, o_user: str | None, begins: str | None
) -> None:
    path = made(Status.PENDING, turn=turn, o_user=o_user)
    answer = bob.post(f"{path}accept/", headers=JSON)
    assert answer.status_code == (200 if begins else 409), answer.content
    item = Game.get(path.split("/")[2])
    assert item.status_date.startswith(Status.IN_PROGRESS if begins else Status.PENDING)
    assert not begins or alice.get(f"{path}state/").json()["turn"] == begins


def test_game_without_opponent_cannot_have_begun(alice: Client) -> None:
    [game_id] = put([game_of(Status.IN_PROGRESS, 0, "alice", None, turn="alice")])
    answer = alice.get(f"/games/{game_id}/")
    assert (answer.status_code, "begun without an opponent" in answer.content.decode()) == (409, True)


def test_turn_that_is_missing_follows_from_the_board(alice: Client, bob: Client) -> None:
    path = made(turn=None, top_left="X")
    assert "bob's turn" not in alice.get(path).content.decode()
    assert alice.get(f"{path}state/").json()["turn"] == "alice"
    assert press(alice, path, "TopMiddle") == 200
    assert game_in(path).turn == "bob"


def test_late_player_without_a_turn_has_lost(alice: Client) -> None:
    path = made(turn=None, pace=300, deadline=1)
    assert "You won: bob ran out of time." in alice.get(path).content.decode()
    assert game_in(path).result == "alice"


def test_nothing_is_later_than_now(alice: Client) -> None:
    """The AWS example writes its server's local time."""
    tomorrow = datetime.now(UTC) + timedelta(hours=9)
    path = made(Status.FINISHED, status_date=Status.FINISHED.dated(tomorrow), turn="N/A", moved_at=tomorrow.timestamp())
    page = alice.get("/").content.decode()
    assert path in page
    assert ("from now" in page, "now</time>" in page) == (False, True)
    shown = re.findall('<time datetime="(.*?)">', page)
    assert shown
    assert max(map(datetime.fromisoformat, shown)) <= datetime.now(UTC)


@pytest.mark.parametrize("moved_at", [None, 0, -1e18, IN_MS, 4e9])
def test_turn_of_unknown_length_is_shown_without_one(bob: Client, moved_at: float | None) -> None:
    path = made(moved_at=moved_at)
    assert "Your turn</small>" in bob.get("/").content.decode()
    assert bob.get(path).status_code == 200
    call_command("show_game", path.split("/")[2], stdout=StringIO())


def test_resigning_needs_no_turn(alice: Client) -> None:
    path = made(turn=None)
    assert store.resign(game_in(path).match(), player="alice").result == "bob"


WRONG: dict[str, dict[str, Any]] = {"Result": {"N": "7"}, "ExpiresAt": {"S": "soon"}, "Computer": {"BOOL": True}}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("attribute", WRONG)
def test_damaged_game_hides_no_other_and_is_listed(alice: Client, status: Status, attribute: str) -> None:
    damaged, sound = made(status, turn=None), made()
    change(damaged, **{attribute: WRONG[attribute]})
    page = alice.get("/").content.decode()
    assert page.index(sound) < page.index("Damaged games") < page.index(damaged)
    assert [game["gameId"] for game in alice.get("/", headers=JSON).json()["damaged"]] == [damaged.split("/")[2]]
    assert "wrong type" in alice.get(damaged).content.decode()
    for arguments in ([], ["--player", "alice"]):
        printed = StringIO()
        call_command("list_games", *arguments, stdout=printed, stderr=StringIO())
        lines = printed.getvalue().splitlines()
        assert [damaged.split("/")[2] in line for line in lines if "UNREADABLE" in line] == [True]
        assert any(sound.split("/")[2] in line for line in lines)


def test_damaged_games_hide_no_unfinished_ones_and_do_not_count(alice: Client) -> None:
    for number in range(11):
        made(Status.FINISHED, status_date=f"won_{number}", result="alice")
    made(Status.FINISHED, status_date="FINISHED_2026-01-01_12:00:00", result="alice")
    invited, running = made(Status.PENDING), made()
    shown = alice.get("/", headers=JSON).json()
    assert [[f"/games/{game['gameId']}/" for game in shown[name]] for name in ("waiting", "playing")] == [
        [invited],
        [running],
    ]
    assert {game["status"] for game in shown["damaged"]} == {"UNREADABLE"}
    assert len(shown["damaged"]) == 12
    assert records.of("alice", datetime.now(UTC)).total.games == 0


def test_damaged_game_is_no_sign_that_two_have_played(games_table: str) -> None:
    made(Status.FINISHED, status_date="won", result="alice")
    assert not queries.have_played("alice", "bob")
    made(Status.FINISHED, result="alice")
    assert queries.have_played("alice", "bob")


@pytest.mark.parametrize("written", ["DONE_2026-01-01", "won", "é~_2026-01-01 00:00:00", "FINISHED\n_1", "_"])
@pytest.mark.parametrize("result", [None, "alice"])
def test_game_with_an_unknown_status_is_listed_as_damaged_and_pages_go_past_it(
    alice: Client, monkeypatch: pytest.MonkeyPatch, written: str, result: str | None
) -> None:
    monkeypatch.setattr(lobby, "FINISHED_IN_LOBBY", 1)
    monkeypatch.setattr(lobby, "FINISHED_ON_A_PAGE", 1)
    older = "FINISHED_2020-01-01 00:00:00"
    strange, *sound = (
        made(Status.FINISHED, status_date=date, result="bob") for date in (written, older, older[:-1] + "1")
    )
    change(strange, Result={"S": result} if result else {"NULL": True})
    assert alice.get(strange).status_code == 409
    found, page, place = Counter[str](), alice.get("/", headers=JSON).json(), ""
    while True:
        found += Counter(f"{name} {game['gameId']}" for name in ("finished", "damaged") for game in page[name])
        place = page["older"]
        if place is None:
            break
        page = alice.get("/", {"before": place}, headers=JSON).json()
    assert found == Counter([f"damaged {strange.split('/')[2]}", *(f"finished {path.split('/')[2]}" for path in sound)])


def test_item_with_a_blank_key_is_no_game_and_hides_none(alice: Client) -> None:
    blank, sound = made(status_date=" "), made()
    page = alice.get("/").content.decode()
    assert (blank in page, sound in page) == (False, True)
    assert alice.get(blank).status_code == 404


@pytest.mark.parametrize("status", Status)
def test_games_with_an_impossible_board_are_listed_as_damaged(alice: Client, status: Status) -> None:
    broken = made(status, turn=None, top_left="O", top_middle="O")
    if status is Status.IN_PROGRESS:  # Only these are shown with their boards.
        assert alice.get("/", headers=JSON).json()["damaged"][0]["gameId"] == broken.split("/")[2]
    assert alice.get(broken).status_code == 409
    printed = StringIO()
    call_command("list_games", stdout=printed, stderr=StringIO())
    assert f"{broken.split('/')[2]}  UNREADABLE" in printed.getvalue()


@pytest.mark.parametrize("status", Status)
def test_expiry_in_milliseconds_is_none(alice: Client, bob: Client, status: Status) -> None:
    path = made(status, turn=None if status is Status.FINISHED else "bob", expires_at=IN_MS)
    assert alice.get(path).status_code == 200
    if status is not Status.FINISHED:
        assert press(bob, path, "TopLeft") == 200
    call_command("show_game", path.split("/")[2], stdout=StringIO())


def test_zero_is_no_expiry_for_a_rematch_either(alice: Client, bob: Client) -> None:
    over = made(Status.FINISHED, turn="N/A", result="bob")
    asked = alice.post(f"{over}rematch/")["Location"]
    change(asked, ExpiresAt={"N": "0"})
    assert bob.post(f"{over}rematch/")["Location"] == asked
    assert game_in(asked).match().status is Status.IN_PROGRESS, "not overwritten by bob's own invitation"


def test_invitations_without_expiry_count_for_the_limit(alice: Client) -> None:
    put(game_of(Status.PENDING, second, "alice", "zoe", turn="zoe") for second in range(3))
    limits._known.clear()
    answers = [alice.post("/games/new/", {"opponent": "zoe"}, headers=JSON).status_code for _ in range(2)]
    assert answers[-1] == 409


@contextmanager
def withheld(most: int) -> Iterator[list[int]]:
    """Have DynamoDB leave games out of its next ``most`` batches; yield a list with an entry for each batch."""
    asked: list[int] = []

    def leave_out(parsed: dict[str, Any], **_: Any) -> None:
        asked.append(len(parsed["Responses"][Game.Meta.table_name]))
        if len(asked) <= most:
            last = parsed["Responses"][Game.Meta.table_name].pop()
            parsed["UnprocessedKeys"] = {Game.Meta.table_name: {"Keys": [{"GameId": last["GameId"]}]}}

    events = shared_client().meta.events
    events.register("after-call.dynamodb.BatchGetItem", leave_out)
    try:
        yield asked
    finally:
        events.unregister("after-call.dynamodb.BatchGetItem", leave_out)


def test_games_left_out_of_a_batch_are_asked_for_again(alice: Client) -> None:
    paths = [made(), made()]
    with withheld(1) as asked:
        page = alice.get("/").content.decode()
    assert asked == [2, 1]
    assert all(path in page for path in paths)
    assert "Open it to see the board" not in page


def test_games_that_stay_left_out_are_listed_without_boards(alice: Client) -> None:
    paths = [made(), made(), made()]
    with withheld(9) as asked:
        page = alice.get("/").content.decode()
        lists = alice.get("/", headers=JSON).json()
    assert asked == [3, 1, 1] * 2
    assert all(path in page for path in paths)
    assert page.count("bob</bdi>'s turn") == 2
    assert page.count("Open it to see the board") == 1
    assert {f"/games/{each['gameId']}/" for each in lists["playing"]} == {*paths}


# Names that the AWS example took, and this site doesn't.
STRANGE = ("Anna", "Bob Smith", "al", "Zoë", "o'neil", "n" * 30, "m" * 90, "a\u202eb", "a\nb", "a\x1b[31mb", "so: x")


@pytest.mark.parametrize("name", STRANGE, ids=ascii)
def test_page_says_that_nobody_can_log_in_with_the_name(alice: Client, client: Client, name: str) -> None:
    sentence = "this site doesn't allow the name."
    [playing] = put([game_of(Status.IN_PROGRESS, 0, "alice", name)])
    [asked] = put([game_of(Status.PENDING, 0, "alice", name, turn=name)])
    for page in (alice.get(f"/games/{playing}/"), client.get(f"/games/{asked}/"), alice.get(f"/games/{asked}/")):
        text = unescape(page.content.decode())
        assert f'Nobody can log in as <bdi translate="no">{name}</bdi>: {sentence}' in text
        assert "/accounts/signup/" not in text
        assert "has not signed up yet" not in text


@pytest.mark.parametrize("name", STRANGE, ids=ascii)
def test_names_are_marked_in_errors(alice: Client, log_in: Callable[[str], Client], name: str) -> None:
    [asked] = put([game_of(Status.PENDING, 0, "alice", name, turn=name)])
    marked = f'This invitation is for <bdi translate="no">{name}</bdi>.'
    for headers in ({}, HTMX):
        refused = log_in("carol").post(f"/games/{asked}/accept/", headers=headers)
        assert refused.status_code == 403
        assert marked in unescape(refused.content.decode())
    [declined] = put([game_of(Status.PENDING, 0, "alice", name, turn=name)])
    change(f"/games/{declined}/", DeclinedBy={"S": name})
    assert f'<bdi translate="no">{name}</bdi> said: No, thanks' in unescape(
        alice.get(f"/games/{declined}/").content.decode()
    )


@pytest.mark.parametrize("name", STRANGE, ids=ascii)
def test_names_are_marked_in_pages_and_escaped_in_terminals(alice: Client, name: str) -> None:
    [ended] = put([game_of(Status.FINISHED, 0, "alice", name, result=name)])
    for path in ("/", f"/games/{ended}/"):
        page = unescape(alice.get(path).content.decode())
        assert f'<bdi translate="no">{name}</bdi>' in page
        assert printable(name) in page.split("</title>")[0] or path == "/"
        assert not re.search('content="[^"]*\u202e', page)
    out = StringIO()
    call_command("list_games", "--player", "alice", stdout=out)
    call_command("show_game", ended, stdout=out)
    assert out.getvalue().replace("\n", "").isprintable()
    assert f"FINISHED  alice  {printable(name)}  {printable(name)}  " in out.getvalue()
    assert f"{printable(name)} (X) vs. alice (O)\nFINISHED, result {printable(name)}\n" in out.getvalue()


def test_players_page_shows_damaged_game_and_counts_only_results(alice: Client) -> None:
    lost, damaged, without = (made(Status.FINISHED, turn="N/A", result="bob") for _ in range(3))
    change(damaged, Result={"N": "7"})
    change(without, Result={"NULL": True})
    shown = alice.get("/players/alice/")
    page = shown.content.decode()
    assert (page.count("<span>Damaged</span>"), page.count("<span>Unknown</span>")) == (1, 1)
    assert f"{lost}" in shown.content.decode()
    assert alice.get("/players/alice/", headers=JSON).json()["lost"] == 1
