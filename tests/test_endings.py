"""Games that end off the board: by resignation, or when a player runs out of time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from dynamodb import conditional
from dynamodb.errors import StoreUnavailable
from games.errors import IllegalMove, NotFound, NotYours
from games.match import Status, StoredMatch
from games.models import Game
from games.signing import signed
from games.storage import lobby as lobbies
from games.storage import store
from games.storage.conflicts import LostRace
from tests.conftest import Cast, Clock, stored
from tests.support.consumed import Meter
from tests.support.many import game_of, put, summaries
from tests.support.pages import JSON, unmarked

MINUTES = 300


def begun(pace: int | None = None) -> StoredMatch:
    return store.accept(store.invite(host="alice", opponent="bob", pace=pace).game_id, player="bob")


def out_of_time(game: StoredMatch) -> StoredMatch:
    """Move the game's deadline a second into the past; return the game as stored."""
    Game(game.game_id).update([Game.deadline.set(int(datetime.now(UTC).timestamp()) - 1)])
    return stored(game.game_id).match()


# Resigning.


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize(("player", "winner"), [("alice", "bob"), ("bob", "alice")])
def test_resigning_player_loses_on_either_turn(player: str, winner: str) -> None:
    game = begun()
    after = store.resign(game, player=player)
    assert after == stored(game.game_id).match()
    assert (after.status, after.result, after.turn, after.ending) == (Status.FINISHED, winner, "N/A", "resigned")


@pytest.mark.usefixtures("games_table")
def test_resign_is_idempotent_and_only_for_players() -> None:
    game = begun()
    with pytest.raises(NotYours):
        store.resign(game, player="charlie")
    first = store.resign(game, player="alice")
    assert store.resign(game, player="alice").status_date == first.status_date
    with pytest.raises(LostRace, match="over already"):
        store.resign(game, player="bob")
    assert stored(game.game_id).result == "bob"


@pytest.mark.usefixtures("games_table")
def test_resign_succeeds_after_concurrent_move() -> None:
    game = begun()
    store.move(game, player="bob", square=4)
    assert store.resign(game, player="alice").result == "bob"


@pytest.mark.usefixtures("games_table")
def test_resign_after_win_loses_race() -> None:
    game = begun()
    for player, square in (("bob", 0), ("alice", 3), ("bob", 1), ("alice", 4)):
        game = store.move(game, player=player, square=square)
    store.move(game, player="bob", square=2)
    with pytest.raises(LostRace):
        store.resign(game, player="bob")
    assert stored(game.game_id).result == "bob"
    assert stored(game.game_id).ending is None


@pytest.mark.usefixtures("games_table")
def test_only_running_game_can_be_resigned() -> None:
    pending = store.invite(host="alice", opponent="bob")
    with pytest.raises(IllegalMove, match="not begun"):
        store.resign(pending, player="alice")
    over = store.resign(begun(), player="alice")
    with pytest.raises(IllegalMove, match="over"):
        store.resign(over, player="alice")


@pytest.mark.usefixtures("games_table")
def test_computer_wins_when_player_resigns() -> None:
    game = store.challenge_computer(host="alice")
    assert store.resign(game, player="alice").result == "computer"


def test_pages_say_who_resigned(alice: Client, bob: Client, charlie: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    bob.post(f"{url}move/", {"square": "TopLeft"})
    assert "Yes, resign" in unmarked(alice.get(url))
    assert "resign" not in unmarked(charlie.get(url))
    assert charlie.post(f"{url}resign/").status_code == 403
    assert alice.post(f"{url}resign/", headers=JSON).json()["result"] == "bob"
    told = [unmarked(player.get(url)) for player in (alice, bob, charlie)]
    for sentence, page in zip(
        ("You resigned. bob won.", "You won: alice resigned.", "bob won: alice resigned."), told, strict=True
    ):
        assert sentence in page
    assert alice.post(f"{url}resign/").status_code == 409
    last, first = (unmarked(alice.get(f"{url}?move={move}")) for move in (1, 0))
    assert "bob won: alice resigned." in last
    assert "bob won: alice resigned." not in first
    assert "Tic-Tac-Toe, X won after 1 move: O resigned\n❌⬜⬜\n⬜⬜⬜\n⬜⬜⬜\n" in last
    assert "Tic-Tac-Toe, X won" not in unmarked(alice.get("/replay/0/"))


# The time limit for a move.


@pytest.mark.usefixtures("games_table")
def test_deadline_restarts_with_each_move_and_ends_with_game() -> None:
    game = store.invite(host="alice", opponent="bob", pace=MINUTES)
    assert (game.pace, game.deadline) == (MINUTES, None)
    game = store.accept(game.game_id, player="bob")
    for player, square in (("bob", 0), ("alice", 3), ("bob", 1), ("alice", 4)):
        left = stored(game.game_id).deadline - datetime.now(UTC).timestamp()
        assert MINUTES - 5 < left <= MINUTES
        Game(game.game_id).update([Game.deadline.set(int(datetime.now(UTC).timestamp()) + 9)])
        game = store.move(game, player=player, square=square)
    assert store.move(game, player="bob", square=2).deadline is None


@pytest.mark.usefixtures("games_table")
def test_first_move_in_invitation_sets_deadline() -> None:
    game = store.move(store.invite(host="alice", opponent="bob", pace=MINUTES), player="bob", square=4)
    assert stored(game.game_id).deadline > datetime.now(UTC).timestamp() + MINUTES - 5
    assert store.move(begun(), player="bob", square=4).deadline is None


@pytest.mark.usefixtures("games_table")
def test_move_after_deadline_forfeits_game() -> None:
    game = out_of_time(begun(MINUTES))
    with pytest.raises(LostRace, match="time for this move") as raised:
        store.move(game, player="bob", square=4)
    item = stored(game.game_id)
    assert raised.value.game == item.match()
    assert (item.match().status, item.result, item.ending, item.match().board) == (
        Status.FINISHED,
        "alice",
        "late",
        " " * 9,
    )


@pytest.mark.usefixtures("games_table")
def test_forfeit_loses_to_earlier_move_and_is_idempotent() -> None:
    game = begun(MINUTES)
    late = out_of_time(game)
    Game(game.game_id).update([Game.deadline.set((late.deadline or 0) + MINUTES)])
    moved = store.move(game, player="bob", square=4)
    assert store.forfeit(late, datetime.now(UTC)) == moved
    late = out_of_time(moved)
    first = store.forfeit(late, datetime.now(UTC))
    assert first.result == "bob"
    assert store.forfeit(late, datetime.now(UTC)).status_date == first.status_date


@pytest.mark.usefixtures("games_table")
def test_move_is_accepted_until_the_second_before_the_deadline(stop_clock: Clock) -> None:
    in_time, late = begun(MINUTES), begun(MINUTES)
    stop_clock(stored(in_time.game_id).deadline - 1)
    assert store.move(in_time, player="bob", square=4).moves == "4"
    stop_clock(stored(late.game_id).deadline)
    with pytest.raises(LostRace, match="time for this move"):
        store.move(late, player="bob", square=4)
    assert stored(late.game_id).ending == "late"


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize(("before", "ending", "winner"), [(1, "resigned", "bob"), (0, "late", "alice")])
def test_resign_is_recorded_until_the_second_before_the_deadline(
    before: int, ending: str, winner: str, stop_clock: Clock
) -> None:
    game = begun(MINUTES)
    stop_clock(stored(game.game_id).deadline - before)
    ended = store.resign(game, player="alice")
    assert (ended.ending, ended.result) == (ending, winner)


@pytest.mark.usefixtures("games_table")
def test_forfeit_from_an_older_read_changes_nothing_after_two_moves() -> None:
    """It's the same player's turn again, with a new deadline."""
    late = out_of_time(begun(MINUTES))
    Game(late.game_id).update([Game.deadline.set((late.deadline or 0) + MINUTES)])
    moved = store.move(late, player="bob", square=4)
    moved = store.move(moved, player="alice", square=0)
    assert moved.turn == late.turn
    assert store.forfeit(late, datetime.now(UTC)) == moved


@pytest.mark.usefixtures("games_table")
def test_forfeit_from_an_older_read_changes_nothing_after_a_move_in_the_same_second(stop_clock: Clock) -> None:
    """The deadline is in whole seconds, so it's the same for the opponent's move."""
    game = begun(MINUTES)
    stop_clock(stored(game.game_id).deadline - MINUTES)
    moved = store.move(game, player="bob", square=4)
    assert moved.deadline == game.deadline
    assert store.forfeit(game, datetime.now(UTC)) == moved


@pytest.mark.parametrize("player", ["alice", "bob"])
@pytest.mark.parametrize("with_position", [True, False])
def test_resign_after_deadline_records_forfeit(log_in: Cast, player: str, with_position: bool) -> None:
    game = out_of_time(begun(MINUTES))
    fields = {"position": signed(game)} if with_position else {}
    answer = log_in(player).post(f"/games/{game.game_id}/resign/", fields, headers=JSON)
    assert (answer.status_code, answer.json()["result"]) == (200, "alice")
    item = stored(game.game_id)
    assert (item.result, item.ending, item.deadline) == ("alice", "late", None)


@pytest.mark.usefixtures("games_table")
def test_resign_before_deadline_is_recorded_as_resigned() -> None:
    assert store.resign(begun(MINUTES), player="alice").ending == "resigned"


def test_get_writes_forfeit_after_deadline_and_nothing_before(alice: Client, bob: Client, meter: Meter) -> None:
    url = alice.post("/games/new/", {"opponent": "bob", "pace": "minutes"})["Location"]
    bob.post(f"{url}accept/")
    meter.calls.clear()
    page = alice.get(url).content.decode()
    assert 'class="deadline"' in page
    assert meter.operations == ["GetItem"]
    game = out_of_time(stored(url.split("/")[2]).match())
    assert Client().get(f"{url}state/").json()["result"] == "alice"
    assert stored(game.game_id).ending == "late"
    assert "You ran out of time. alice won." in bob.get(url).content.decode()
    assert "You won: bob ran out of time." in alice.get(url).content.decode()


def test_lobby_writes_at_most_5_forfeits_per_request(bob: Client, meter: Meter) -> None:
    late = [out_of_time(begun(MINUTES)).game_id for _ in range(7)]
    going = [begun(MINUTES).game_id, begun().game_id]
    for ended, writes in ((5, 5), (7, 2), (7, 0)):
        meter.calls.clear()
        lobby = bob.get("/", headers=JSON).json()
        finished = [game["gameId"] for game in lobby["finished"]]
        assert (len(finished), {game["result"] for game in lobby["finished"]}) == (ended, {"alice"})
        assert set(finished) <= set(late)
        assert sorted([game["gameId"] for game in lobby["playing"]] + finished) == sorted(late + going)
        assert meter.operations.count("Query") == 2
        assert meter.operations.count("UpdateItem") == writes
    assert {stored(game_id).ending for game_id in late} == {"late"}


def test_lobby_page_shows_forfeit_as_finished(alice: Client, bob: Client) -> None:
    game = out_of_time(begun(MINUTES))
    page = bob.get("/").content.decode()
    assert "<title>Your games · Tic-Tac-Toe</title>" in page
    assert "time is up" not in page
    assert "<span>Lost on time</span>" in page
    assert stored(game.game_id).result == "alice"
    assert "<span>Won</span>" in alice.get("/").content.decode(), "the indexes don't know why"


def test_lobby_shows_overdue_game_when_forfeit_write_fails(bob: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    late = out_of_time(begun(MINUTES))
    for error in (StoreUnavailable("writes are down"), NotFound("gone")):

        def fails(*_: Any, error: Exception = error, **__: Any) -> Any:
            raise error

        with monkeypatch.context() as outage:
            outage.setattr(conditional, "update", fails)
            lobby = bob.get("/", headers=JSON).json()
        assert [game["gameId"] for game in lobby["playing"]] == [late.game_id]


def test_older_page_writes_forfeits_and_skips_no_games(bob: Client) -> None:
    over = put(game_of(Status.FINISHED, 100 - number, "alice", "bob") for number in range(40))
    (late,) = put([game_of(Status.IN_PROGRESS, 200, "alice", "bob", pace=MINUTES, deadline=1)])
    second = next(summaries(bob, "older", str(lobbies.newest("bob", now()).older)))
    first = next(summaries(bob, "newer", second["newer"]))
    assert [game["gameId"] for game in first["finished"]] == [late, *over[:9]]
    assert first["playing"] == []
    after = next(summaries(bob, "older", first["older"]))
    assert [game["gameId"] for game in after["finished"]] == over[9:29]


def test_rematch_of_overdue_game_writes_forfeit_first(alice: Client, bob: Client) -> None:
    for with_position in (True, False):
        game = out_of_time(begun(MINUTES))
        fields = {"position": signed(game)} if with_position else {}
        answer = alice.post(f"/games/{game.game_id}/rematch/", fields, headers=JSON)
        assert (answer.status_code, answer.json()["host"], answer.json()["status"]) == (201, "alice", "PENDING")
        assert stored(game.game_id).ending == "late"
    going = begun(MINUTES)
    assert bob.post(f"/games/{going.game_id}/rematch/").status_code == 409


@pytest.mark.parametrize("pace", ["300", "never", "minutes "])
def test_invalid_pace_is_400_with_message(alice: Client, pace: str) -> None:
    answer = alice.post("/games/new/", {"opponent": "bob", "pace": pace}, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "The time for each move is none, minutes, day: choose one.",
    )


def test_default_is_no_time_limit(alice: Client) -> None:
    for form in ({}, {"pace": ""}, {"pace": "none"}):
        fields: dict[str, Any] = {"opponent": "bob"} | form
        url = alice.post("/games/new/", fields)["Location"]
        assert stored(url.split("/")[2]).pace is None
