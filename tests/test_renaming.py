"""The operator's commands for a player: another name, the end of an account, a new password."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import generations, store
from accounts.models import Player
from games.match import Status
from games.storage import queries, records, renaming
from games.storage import store as games_store
from tests.conftest import PASSWORD, stored
from tests.support.many import game_of, put
from tests.support.pages import JSON


def run(*command: str) -> tuple[str, str]:
    """Run the command; return what it prints on stdout and stderr."""
    out, err = StringIO(), StringIO()
    call_command(*command, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = Client().get(f"/players/{name}/", headers=JSON).json()
    return found


def seasons(old: str) -> list[str]:
    """Store enough finished games against bob for kept sums, and a running game each way."""
    over = [game_of(Status.FINISHED, n, old, "bob", result=(old, "bob", "Tie")[n % 3]) for n in range(30)]
    over += [game_of(Status.FINISHED, 40 + n, "bob", old, result=old) for n in range(30)]
    running = [game_of(Status.IN_PROGRESS, 80, old, "bob"), game_of(Status.IN_PROGRESS, 81, "bob", old, turn=old)]
    return put(over + running)


def test_rename_player_moves_account_games_and_records(alice: Client, bob: Client) -> None:
    game_ids = seasons("alice")
    assert (of("bob")["lost"], of("alice")["won"]) == (40, 40)
    assert records.RecordItem.count("record#bob") == records.RecordItem.count("record#alice") == 1
    assert "alice would become dora in 62 games." in run("rename_player", "alice", "Dora", "--dry-run")[1]
    assert stored(game_ids[0]).host_id == "alice"
    assert "alice is dora now." in run("rename_player", "alice", "Dora")[1]
    items = [stored(game_id) for game_id in game_ids]
    assert all({item.host_id, item.opponent_id} == {"dora", "bob"} for item in items)
    assert "alice" not in {value for item in items for value in (item.o_user, item.turn, item.result)}
    assert {item.result for item in items} == {"dora", "bob", "Tie", None}
    assert of("bob")["against"] == {"dora": {"won": 10, "lost": 40, "tied": 10}}
    assert (of("dora")["won"], of("dora")["lost"], of("dora")["tied"]) == (40, 10, 10)
    assert alice.get("/", headers=JSON).json()["player"] is None
    assert Client().post("/accounts/login/", {"username": "alice", "password": PASSWORD}).status_code == 403
    dora = Client()
    assert dora.post("/accounts/login/", {"username": "dora", "password": PASSWORD}).status_code == 303
    assert len(dora.get("/", headers=JSON).json()["playing"]) == 2


@pytest.mark.parametrize("old", ["Anna", "Bob Smith", "al", "Zoë", "o'neil", "a\u202eb", "a\nb", "m" * 90, "Tie"])
def test_games_of_a_name_that_is_not_allowed_become_playable(bob: Client, old: str) -> None:
    [running] = put([game_of(Status.IN_PROGRESS, 0, "bob", old, turn=old)])
    [over] = put([game_of(Status.FINISHED, 1, "bob", old, result="bob")])
    run("rename_player", old, "anna")
    anna = Client()
    assert anna.post("/accounts/signup/", {"username": "anna", "password": PASSWORD}).status_code == 303
    assert anna.post(f"/games/{running}/move/", {"square": "TopLeft"}, headers=JSON).status_code == 200
    assert bob.post(f"/games/{running}/move/", {"square": "TopRight"}, headers=JSON).status_code == 200
    assert stored(over).opponent_id == "anna"
    assert of("anna")["against"] == {"bob": {"won": 0, "lost": 1, "tied": 0}}


@pytest.mark.parametrize("stage", ["copied", "retired", "half of the games", "before the records"])
def test_interrupted_rename_is_completed_by_running_it_again(
    alice: Client, bob: Client, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    game_ids = seasons("alice")
    of("alice"), of("bob")
    with monkeypatch.context() as crash:
        names = {
            "copied": (store, "retire"),
            "retired": (renaming, "rename"),
            "before the records": (records, "forget"),
        }
        if stage in names:
            crash.setattr(*names[stage], lambda *_, **__: 1 / 0)
        else:
            count = iter(range(30))
            real = games_store.rename
            crash.setattr(
                games_store, "rename", lambda *a, **k: real(*a, **k) if next(count, None) is not None else 1 / 0
            )
        with pytest.raises(ZeroDivisionError):
            run("rename_player", "alice", "dora")
    run("rename_player", "alice", "dora")
    assert all({*stored(each).match().players} == {"dora", "bob"} for each in game_ids)
    assert of("bob")["against"] == {"dora": {"won": 10, "lost": 40, "tied": 10}}
    assert of("dora")["won"] == 40
    assert Client().post("/accounts/login/", {"username": "dora", "password": PASSWORD}).status_code == 303


@pytest.mark.parametrize("taken_by", ["account", "game"])
def test_rename_refuses_a_name_that_exists(alice: Client, taken_by: str) -> None:
    if taken_by == "account":
        store.claim("dora", PASSWORD, address="192.0.2.1")
    else:
        put([game_of(Status.FINISHED, 0, "bob", "dora", result="bob")])
    with pytest.raises(CommandError, match="Somebody is called dora already"):
        run("rename_player", "alice", "dora")
    assert alice.get("/", headers=JSON).json()["player"] == "alice"


@pytest.mark.parametrize("command", [("rename_player", "nobody-here", "dora"), ("delete_player", "nobody-here")])
def test_unknown_player_is_one_sentence(games_table: str, command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="Nobody is called nobody-here"):
        run(*command)
    assert Player.count("player#nobody-here") == 0


@pytest.mark.parametrize("new", ["no name", "ab", "computer", "guest-abcdef", "admin1"])
def test_rename_refuses_a_name_that_is_not_allowed(alice: Client, new: str) -> None:
    with pytest.raises(CommandError) as refused:
        run("rename_player", "alice", new)
    assert refused.value.returncode == 2


def test_delete_player_ends_account_and_games(alice: Client, bob: Client) -> None:
    game_ids = seasons("alice")
    assert "62 games would lose the name" in run("delete_player", "alice", "--dry-run")[1]
    assert alice.get("/", headers=JSON).json()["player"] == "alice"
    said = run("delete_player", "alice")[1]
    heir = store.heir("alice")
    assert heir
    assert f"Its games have the name {heir}." in said
    assert all({*stored(each).match().players} == {heir, "bob"} for each in game_ids)
    assert all(stored(each).match().status is Status.FINISHED for each in game_ids)
    assert queries.of_player("alice", None, 10) == []
    assert of("bob")["against"] == {heir: {"won": 12, "lost": 40, "tied": 10}}
    assert alice.get("/", headers=JSON).json()["player"] is None


def test_damaged_game_keeps_the_name_and_is_reported(alice: Client) -> None:
    [game_id] = put([game_of(Status.FINISHED, 0, "alice", "bob", result="a third person")])
    assert "1 games keep the old name" in run("rename_player", "alice", "dora")[1]
    assert stored(game_id).host_id == "alice"


def test_operator_sets_a_forgotten_password(alice: Client) -> None:
    out, err = run("set_password", "alice")
    assert "Sessions end within five minutes" in err
    generations._known.clear()  # the command runs in a process of its own
    assert alice.get("/", headers=JSON).json()["player"] is None
    form = {"username": "alice", "password": out.strip()}
    assert Client().post("/accounts/login/", form).status_code == 303
    with pytest.raises(CommandError, match="Nobody has an account with the name nobody-here"):
        run("set_password", "nobody-here")
