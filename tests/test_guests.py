"""When a guest signs up or logs in, running games move to the new name, even if they change meanwhile."""

import re
import time
import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.names import called, new_guest
from dynamodb.client import shared_client
from dynamodb.errors import StoreUnavailable
from games.match import Status, StoredMatch
from games.models import Game
from games.signing import signed
from games.storage import queries, renaming, store
from games.storage.conflicts import LostRace
from tests.conftest import PASSWORD, stored
from tests.support.consumed import Meter
from tests.support.many import game_of, put
from tests.support.pages import JSON

NEW = {"username": "dora", "password": PASSWORD}


def guest() -> tuple[Client, str]:
    client = Client()
    name = client.post("/accounts/guest/", headers=JSON).json()["player"]
    return client, name


def begun(host: str, opponent: str) -> StoredMatch:
    return store.accept(store.invite(host=host, opponent=opponent).game_id, player=opponent)


def test_signup_transfers_guest_games(alice: Client) -> None:
    client, name = guest()
    assert "Choose a name" in client.get("/").content.decode()
    assert client.get("/accounts/signup/").status_code == 200
    hosted, invited = begun(name, "alice"), begun("alice", name)
    waiting, open_one = store.invite(host=name, opponent="bob"), store.invite(host=name, opponent=None)
    computers = store.challenge_computer(host=name)
    assert client.post("/accounts/signup/", NEW).status_code == 303
    for game in (hosted, invited, waiting, open_one, computers):
        item = stored(game.game_id)
        assert name not in (item.host_id, item.opponent_id, item.o_user, item.turn)
        assert "dora" in (item.host_id, item.opponent_id)
        assert item.match().stored_status is game.stored_status
    assert (stored(invited.game_id).turn, stored(hosted.game_id).o_user) == ("dora", "dora")
    assert [stored(game.game_id).expires_at for game in (hosted, invited)] == [None] * 2
    for unfinished in (waiting, computers):
        assert stored(unfinished.game_id).expires_at == unfinished.expires_at
    lobby = client.get("/", headers=JSON).json()
    assert (lobby["player"], len(lobby["playing"]), len(lobby["waiting"])) == ("dora", 3, 2)
    assert "Choose a name" not in client.get("/").content.decode()


def test_failed_transfer_is_retried_by_next_lobby(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client, name = guest()
    games = [begun(name, "alice"), begun("alice", name)]
    with monkeypatch.context() as outage:

        def fails(*_: Any, **__: Any) -> Any:
            raise StoreUnavailable("no")

        outage.setattr(store, "rename", fails)
        assert client.post("/accounts/signup/", NEW).status_code == 303
        assert client.get("/", headers=JSON).json()["playing"] == []
    assert len(client.get("/", headers=JSON).json()["playing"]) == 2
    assert name not in {player for game in games for player in stored(game.game_id).match().players}
    assert "guest" not in client.session


def test_login_transfers_guest_games_except_against_oneself(alice: Client) -> None:
    client, name = guest()
    mine, own = begun(name, "alice"), begun(name, "dora")
    Client().post("/accounts/signup/", NEW)
    assert client.post("/accounts/login/", NEW | {"password": "wrong"}).status_code == 403
    assert stored(mine.game_id).host_id == name
    client.post("/accounts/login/", NEW)
    assert (stored(mine.game_id).host_id, stored(own.game_id).host_id) == ("dora", name)


@pytest.mark.parametrize("damage", [{"S": "Q"}, {"N": "1"}], ids=["a mark", "a type"])
def test_damaged_game_does_not_block_transfer_of_others(alice: Client, damage: dict[str, str]) -> None:
    client, name = guest()
    games = [begun(name, "alice"), begun("alice", name), begun(name, "alice")]
    shared_client().update_item(
        TableName=Game.Meta.table_name,
        Key={"GameId": {"S": games[1].game_id}},
        UpdateExpression="SET TopLeft = :damage",
        ExpressionAttributeValues={":damage": damage},
    )
    assert client.post("/accounts/signup/", NEW).status_code == 303
    assert client.get("/", headers=JSON).status_code == 200
    assert [stored(games[n].game_id).host_id for n in (0, 2)] == ["dora"] * 2
    assert "guest" not in client.session


def test_transfer_of_many_games_continues_over_several_lobbies(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client, name = guest()
    put([game_of(Status.IN_PROGRESS, n, name, "alice") for n in range(10)])
    put([game_of(Status.IN_PROGRESS, n, name, "dora") for n in range(5, 9)])  # against dora herself: never transferred
    with monkeypatch.context() as slow:
        slow.setattr(renaming, "SECONDS", 0)
        assert client.post("/accounts/signup/", NEW).status_code == 303
        assert [len(client.get("/", headers=JSON).json()["playing"]) for _ in range(2)] == [6, 7]
    assert client.session["guest"] == name
    monkeypatch.setattr(renaming, "SECONDS", 60)
    assert len(client.get("/", headers=JSON).json()["playing"]) == 14
    assert "guest" not in client.session


def test_active_guest_keeps_session(games_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client, name = guest()
    now = time.time()
    for days in (0.5, 1.5, 59, 118):
        monkeypatch.setattr(time, "time", lambda days=days: now + days * 86_400)
        client.get("/")
        answer = client.post("/games/new/", {"opponent": "computer"}, headers=JSON)
        assert (answer.status_code, answer.json()["host"]) == (201, name)
        assert (settings.SESSION_COOKIE_NAME in answer.cookies) == (days > 1)
    monkeypatch.setattr(time, "time", lambda: now + (118 + 61) * 86_400)
    assert client.get("/", headers=JSON).json() == {"player": None}


def test_unread_game_is_transferred_by_next_lobby(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client, name = guest()
    game = begun(name, "alice")
    with monkeypatch.context() as busy:
        busy.setattr(queries, "games", lambda game_ids: {})
        assert client.post("/accounts/signup/", NEW).status_code == 303
    client.get("/")
    assert stored(game.game_id).host_id == "dora"


def test_game_against_another_guest_keeps_expiry_after_signup(games_table: str) -> None:
    client, name = guest()
    game = begun(name, "guest-zzzzzz")
    client.post("/accounts/signup/", NEW)
    assert stored(game.game_id).expires_at == game.expires_at


def test_finished_games_come_along_and_count_for_both(alice: Client) -> None:
    client, name = guest()
    game = store.resign(begun(name, "alice"), player="alice")
    assert alice.get("/players/alice/", headers=JSON).json()["lost"] == 0
    client.post("/accounts/signup/", NEW)
    item = stored(game.game_id)
    assert (item.host_id, item.o_user, item.result, item.expires_at) == ("dora", "dora", "dora", None)
    assert client.get(f"/games/{game.game_id}/").content.decode().count("You won") > 0
    assert alice.get("/players/alice/", headers=JSON).json()["lost"] == 1
    assert alice.get("/players/dora/", headers=JSON).json()["won"] == 1


def test_transfer_keeps_concurrent_move(alice: Client) -> None:
    _, name = guest()
    game = begun(name, "alice")
    store.move(game, player="alice", square=4)
    item = store.rename(game, old=name, new="dora")
    assert (item.host, item.board, item.turn) == ("dora", "    X    ", "dora")
    ended = store.resign(item, player="dora")
    assert store.rename(game, old=name, new="other") == ended


@pytest.mark.parametrize("first", ["anna", "zoe"])
@pytest.mark.parametrize("guests_seat", ["host", "opponent"])
def test_only_the_first_of_two_names_gets_the_guests_games(games_table: str, first: str, guests_seat: str) -> None:
    name = "guest-aaaaaa"
    game = begun(name, "mia") if guests_seat == "host" else begun("mia", name)
    store.rename(game, old=name, new=first)
    item = store.rename(game, old=name, new="nora")
    assert {item.host, item.opponent} == {first, "mia"}


def test_opponents_old_position_works_after_guest_signs_up(alice: Client) -> None:
    """The opponent's position was signed when the guest still had the guest name."""
    client, _ = guest()
    url = client.post("/games/new/", {"opponent": "alice"})["Location"]
    alice.post(f"{url}accept/")
    position = alice.get(url, headers=JSON).json()["position"]
    client.post("/accounts/signup/", NEW)
    answer = alice.post(f"{url}move/", {"square": "TopLeft", "position": position}, headers=JSON)
    assert (answer.status_code, answer.json()["turn"], answer.json()["host"]) == (200, "dora", "dora")


def test_move_from_page_with_hosts_guest_name_gives_turn_to_new_name(games_table: str) -> None:
    """In a rematch the opponent plays O, so the sides stay the same when the host gets a name."""
    over = store.resign(begun("guest-aaaaaa", "bob"), player="bob")
    offer = store.rematch(over, player="guest-aaaaaa", game_id=str(uuid.uuid4()))
    game = store.accept(offer.game_id, player="bob")
    game = store.move(game, player="guest-aaaaaa", square=0)
    store.rename(game, old="guest-aaaaaa", new="dora")
    assert store.move(game, player="bob", square=4).turn == "dora"
    assert stored(game.game_id).turn == "dora"


@pytest.mark.parametrize("of_guest", [True, False])
def test_transfer_works_on_either_players_turn(games_table: str, of_guest: bool) -> None:
    name = "guest-aaaaaa"
    game = begun("alice", name)
    if not of_guest:
        game = store.move(game, player=name, square=0)
    old: Any = game
    store.rename(game, old=name, new="dora")
    if not of_guest:
        moved = store.move(old, player="alice", square=4)
        assert (moved.turn, moved.board) == ("dora", "X   O    ")
    assert stored(game.game_id).turn == "dora"
    assert stored(game.game_id).match().status is Status.IN_PROGRESS


def test_opponent_can_resign_from_page_with_guest_name(alice: Client) -> None:
    client, name = guest()
    game = begun(name, "alice")
    client.post("/accounts/signup/", NEW)
    for _ in range(2):  # The first reply may get lost.
        ended = store.resign(game, player="alice")
        assert (ended.result, ended.ending, ended.mark_of("alice")) == ("dora", "resigned", "X")
    with pytest.raises(LostRace, match="over already"):
        store.resign(replace(game, host="dora", o_user="dora"), player="dora")


@pytest.mark.parametrize("recorded", [True, False])
def test_retried_move_is_recognised_after_opponent_signs_up(alice: Client, recorded: bool) -> None:
    client, name = guest()
    game = begun(name, "alice")
    store.move(game, player="alice", square=0)
    client.post("/accounts/signup/", NEW)
    if not recorded:
        Game(game.game_id).update([Game.recorded_moves.remove()])
    shown = game if recorded else replace(game, moves=None)
    assert store.move(shown, player="alice", square=0).host == "dora"
    with pytest.raises(LostRace, match="moved on"):
        store.move(shown, player="alice", square=1)


def test_guests_other_tab_plays_on_under_new_name(alice: Client, meter: Meter) -> None:
    client, name = guest()
    games = [begun("alice", name) for _ in range(3)]
    asked = store.invite(host="alice", opponent=name)
    client.post("/accounts/signup/", NEW)
    first, second, third = (f"/games/{game.game_id}/" for game in games)
    meter.calls.clear()
    for _ in range(2):
        answer = client.post(f"{first}move/", {"square": "TopLeft", "position": signed(games[0])}, headers=JSON)
        assert (answer.status_code, answer.json()["opponent"], answer.json()["moves"]) == (200, "dora", "0")
    assert meter.operations == ["GetItem", "UpdateItem"] * 2
    assert client.post(f"{second}resign/", {"position": signed(games[1])}, headers=JSON).status_code == 200
    assert (
        client.post(f"/games/{asked.game_id}/move/", {"square": "TopLeft", "position": signed(asked)}).status_code
        == 303
    )
    # A tab moves on the board it shows: a game that has moved on since is a 409.
    move_on(third, client, alice)
    answer = client.post(f"{third}move/", {"square": "TopRight", "position": signed(games[2])}, headers=JSON)
    assert (answer.status_code, answer.json()["moves"]) == (409, "04")


def move_on(url: str, *players: Client) -> None:
    for player, square in zip(players, ("TopLeft", "MiddleMiddle"), strict=True):
        assert player.post(f"{url}move/", {"square": square}).status_code == 303


def test_signed_position_does_not_authorise_a_stranger(alice: Client, charlie: Client) -> None:
    game = begun("alice", "bob")
    for action in ("move", "resign"):
        fields = {"square": "TopLeft", "position": signed(game)}
        assert charlie.post(f"/games/{game.game_id}/{action}/", fields).status_code == 403
    assert stored(game.game_id).match() == game


def test_game_accepted_during_transfer_never_expires(games_table: str) -> None:
    read = store.invite(host="guest-aaaaaa", opponent="bob")
    store.accept(read.game_id, player="bob")
    store.rename(read, old="guest-aaaaaa", new="dora")
    assert stored(read.game_id).expires_at is None


def test_guest_is_called_by_two_words_wherever_a_name_stands(alice: Client) -> None:
    client, name = guest()
    games = [store.invite(host=name, opponent="alice"), store.invite(host="alice", opponent=name), begun(name, "alice")]
    for number in range(5):
        store.move(stored(games[2].game_id).match(), player=("alice", name)[number % 2], square=number)
    games += [store.resign(begun(name, "alice"), player=name), begun("alice", name)]
    paths = ["/", *(f"/games/{game.game_id}/" for game in games), f"/games/{games[2].game_id}/?move=5"]
    pages = [each.get(path).content.decode() for path in paths for each in (client, alice, Client())]
    pages.append(alice.post(f"{paths[1]}cancel/").content.decode())
    for page in pages:
        assert "guest-" not in re.sub(r'<input type="hidden"[^>]*>|data-player="[^"]*"', "", page)
    assert sum(called(name) in page for page in pages) >= len(pages) - 3


@pytest.mark.parametrize("text", ["my-guest-abcdefghijkm", "guest-a", "guest-abcdefghijkmn", "guest-ABC234", "guests"])
def test_no_other_name_is_taken_for_guests(text: str) -> None:
    assert called(text) == text


def test_guests_words_stay_and_differ() -> None:
    assert called("guest-abc234's turn") == "Daring\N{NO-BREAK SPACE}Otter\N{NO-BREAK SPACE}(guest)'s turn"
    assert len({called(new_guest()) for _ in range(100)}) > 90


def test_nobody_is_asked_to_log_in_as_guest(alice: Client) -> None:
    _, name = guest()
    page = Client().get(f"/games/{store.invite(host='alice', opponent=name).game_id}/").content.decode()
    assert "You are watching." in page
    assert "Log in to accept" not in page
    assert "Log in as" not in page


def test_guest_is_told_once_that_the_name_is_theirs(games_table: str) -> None:
    client, _ = guest()
    client.post("/accounts/signup/", NEW)
    client.get("/", headers=JSON)
    pages = [client.get(path).content.decode() for path in ("/games/new/", "/games/new/")]
    assert ["is your name now" in page for page in pages] == [True, False]
    newcomer = Client()
    newcomer.post("/accounts/signup/", {"username": "emma", "password": PASSWORD})
    assert "is your name now" not in newcomer.get("/").content.decode()


@pytest.mark.parametrize("asks_first", ["alice", "dora"])
def test_rematch_follows_a_guest_to_the_name_chosen_since(alice: Client, asks_first: str) -> None:
    """The other's page, loaded before, still has the guest's name in its position."""
    client, name = guest()
    over = begun("alice", name)
    for number, square in enumerate((0, 3, 1, 4, 2)):
        over = store.move(over, player=(name, "alice")[number % 2], square=square)
    old = {"position": signed(over)}
    client.post("/accounts/signup/", NEW)
    path = f"/games/{over.game_id}/rematch/"
    first, second = (alice, client) if asks_first == "alice" else (client, alice)
    asked = first.post(path, old, headers=JSON)
    agreed = second.post(path, old, headers=JSON)
    assert (asked.status_code, agreed.status_code) == (201, 201)
    assert {asked.json()["host"], asked.json()["opponent"]} == {"alice", "dora"}
    assert agreed.json()["status"] == "IN_PROGRESS"
