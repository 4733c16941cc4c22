"""The commands: what they print, to which stream, and their exit codes."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from dynamodb import provisioning
from dynamodb.client import shared_client
from games.models import Game
from games.storage import store
from tests.conftest import drop_table
from tests.support.engines import free_port
from tests.support.sites import manage, only_one_plays
from tictactoe_site import config, table
from tictactoe_site.commands import PLAYING
from tictactoe_site.config import BASE_DIR

COMMANDS = ("play", "create_table", "inspect_table", "list_games", "show_game")


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def other_table(games_table: str) -> Iterator[str]:
    """Bind the site to a table that doesn't exist yet; yield its name."""
    name = "CommandGames"
    table.bind(config.for_endpoint(games_table, base=config.Config(table=name), environ={}), patient=True)
    yield name
    if provisioning.describe():
        drop_table(name)


@pytest.mark.process
@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_exit_codes_and_endpoint(command: str) -> None:
    done = manage(command, "--help")
    assert done.returncode == 0
    assert "Exit codes" in done.stdout
    assert "--endpoint" in done.stdout
    assert done.stderr == ""


@pytest.fixture
def nobody_plays() -> Iterator[None]:
    """Hide a ``make run`` of this checkout, whose table the commands would use."""
    with only_one_plays():
        with suppress(FileNotFoundError):
            aside = PLAYING.rename(PLAYING.with_suffix(".aside"))
        yield
        with suppress(NameError):
            aside.rename(PLAYING)


@pytest.mark.process
@pytest.mark.usefixtures("nobody_plays")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show_game"], "GAME_ID"),
        (["list_games", "--status", "WON"], "PENDING, IN_PROGRESS, FINISHED"),
        (["list_games", "--limit", "0"], "from 1"),
        (["play", "--port", "x"], "isn't a port"),
        (["play", "--port", "70000"], "isn't a port"),
        (["create_table", "--endpoint", "ftp://x"], "http://127.0.0.1:8000"),
        (["create_table"], "CONFIG_FILE is not set"),
    ],
)
def test_invalid_parameters_exit_with_2_and_message(arguments: list[str], words: str) -> None:
    done = manage(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.process
@pytest.mark.usefixtures("nobody_plays")
@pytest.mark.parametrize("left", ["http://127.0.0.1:{port}", "", "http://[", "http://127.0.0.1:99999999"])
def test_what_a_killed_play_leaves_behind_is_ignored(left: str) -> None:
    PLAYING.write_text(left.format(port=free_port()))
    done = manage("list_games")
    PLAYING.unlink()
    assert (done.returncode, "CONFIG_FILE is not set" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_unreachable_table_exits_with_1_and_message() -> None:
    done = manage("list_games", "--player", "alice", "--endpoint", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "nothing accepts connections" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_create_table_is_idempotent(other_table: str) -> None:
    assert "has been created" in run("create_table")
    assert "already exists" in run("create_table")
    data = json.loads(run("create_table", "--json"))
    assert (data["table"], data["created"]) == (other_table, False)


def test_create_table_reports_progress_on_stderr(other_table: str) -> None:
    out, err = StringIO(), StringIO()
    call_command("create_table", stdout=out, stderr=err)
    for words in ("Creating the table CommandGames", "TTL: on", "Point-in-time recovery", "Deletion protection"):
        assert words in err.getvalue()
    assert len(out.getvalue().splitlines()) == 1


def test_dry_run_prints_request_and_creates_nothing(other_table: str) -> None:
    request = json.loads(run("create_table", "--dry-run"))
    assert request["TableName"] == other_table
    assert request["KeySchema"] == [{"AttributeName": "GameId", "KeyType": "HASH"}]
    assert {index["IndexName"] for index in request["GlobalSecondaryIndexes"]} == {
        "HostId-StatusDate-index",
        "OpponentId-StatusDate-index",
    }
    assert request["BillingMode"] == "PAY_PER_REQUEST"
    assert provisioning.describe() is None


@pytest.mark.process
def test_concurrent_create_table_creates_one_table(games_table: str, tmp_path: Any, engine: str) -> None:
    path = tmp_path / "site.config"
    path.write_text(f"[dynamodb]\nregion = us-west-2\nendpoint = {engine}\ntable = Stampede\n")
    environ = {**os.environ, "CONFIG_FILE": str(path)}
    command = [sys.executable, "manage.py", "create_table", "--json"]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=BASE_DIR, env=environ)
        for _ in range(8)
    ]
    answers = [(process.communicate(), process.returncode) for process in started]
    assert [code for _, code in answers] == [0] * 8, answers
    assert sum(json.loads(out)["created"] for (out, _), _ in answers) == 1
    drop_table("Stampede")


def test_inspect_table_finds_no_differences_in_own_table(games_table: str, exact: bool) -> None:
    text = run("inspect_table")
    assert "Everything is as expected." in text
    assert "GameId (partition key)" in text
    data = json.loads(run("inspect_table", "--json"))
    assert (data["status"], data["billing"], data["ttl"]) == ("ACTIVE", "PAY_PER_REQUEST", "ExpiresAt")
    client = shared_client()
    for setting in (True, False):
        client.update_table(TableName=data["table"], DeletionProtectionEnabled=setting)
        assert json.loads(run("inspect_table", "--json"))["protection"] == ("on" if setting else "off")
    specification = {"PointInTimeRecoveryEnabled": True}
    with suppress(client.exceptions.ClientError):  # DynamoDB Local has no such call.
        client.update_continuous_backups(TableName=data["table"], PointInTimeRecoverySpecification=specification)
    assert json.loads(run("inspect_table", "--json"))["recovery"] == ("not offered" if exact else "on")
    assert data["differences"] == []
    assert len(data["indexes"]) == 2


def test_inspect_table_without_table_suggests_create_table(other_table: str) -> None:
    with pytest.raises(CommandError, match="create_table"):
        run("inspect_table")


def test_inspect_table_fails_on_wrong_schema(other_table: str) -> None:
    client = shared_client()
    client.create_table(
        TableName=other_table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
    )
    out = StringIO()
    with pytest.raises(CommandError, match="can't use the table"):
        call_command("inspect_table", stdout=out)
    assert "key of the table is Id (partition key), not GameId (partition key)" in out.getvalue()
    assert out.getvalue().count("is missing") == 2
    with pytest.raises(CommandError, match="choose another"):
        run("create_table")
    assert provisioning.time_to_live() == ""


@pytest.mark.usefixtures("games_table")
def test_list_games_by_player_and_status() -> None:
    pending = store.invite(host="alice", opponent="bob")
    playing = store.accept(store.invite(host="bob", opponent="alice").game_id, player="alice")
    store.invite(host="charlie", opponent="bob")
    listed = [game["gameId"] for game in json.loads(run("list_games", "--player", "alice", "--json"))]
    assert listed == [pending.game_id, playing.game_id]
    filtered = json.loads(run("list_games", "--player", "alice", "--status", "in_progress", "--json"))
    assert [game["gameId"] for game in filtered] == [playing.game_id]
    assert len(json.loads(run("list_games", "--json"))) == 3
    assert len(json.loads(run("list_games", "--status", "PENDING", "--json"))) == 2
    header, first, *_ = run("list_games", "--player", "ALICE").splitlines()
    assert header == "ID  STATUS  HOST  OPPONENT  RESULT  SINCE (UTC)"
    assert first.startswith(f"{pending.game_id}  PENDING  alice  bob")
    assert run("list_games", "--player", "nobody-here") == ""


@pytest.mark.usefixtures("games_table")
def test_list_games_marks_unreadable_item_and_keeps_others() -> None:
    broken, sound = store.invite(host="alice", opponent="bob"), store.invite(host="alice", opponent="bob")
    Game(broken.game_id).update([Game.status_date.set("NONSENSE")])
    listed = {game["gameId"]: game["status"] for game in json.loads(run("list_games", "--json"))}
    assert listed == {broken.game_id: "UNREADABLE", sound.game_id: "PENDING"}
    with pytest.raises(CommandError, match="stored status"):
        run("show_game", broken.game_id)


@pytest.mark.usefixtures("games_table")
def test_wrongly_typed_attribute_is_a_command_error() -> None:
    game_id = store.invite(host="alice", opponent="bob").game_id
    wrong = {"ExpressionAttributeValues": {":text": {"S": "soon"}}, "UpdateExpression": "SET ExpiresAt = :text"}
    shared_client().update_item(TableName="Games", Key={"GameId": {"S": game_id}}, **wrong)
    with pytest.raises(CommandError, match="attribute of the wrong type"):
        run("show_game", game_id)


@pytest.mark.usefixtures("games_table")
def test_show_game_draws_the_board() -> None:
    game = store.invite(host="alice", opponent="bob")
    game = store.move(game, player="bob", square=4)
    game = store.move(game, player="alice", square=0)
    text = run("show_game", game.game_id)
    assert " O |   |  \n---+---+---\n   | X |  \n" in text
    assert "1. X centre\n2. O top left\n" in text
    assert "bob (X) vs. alice (O)" in text
    data = json.loads(run("show_game", game.game_id, "--json"))
    assert (data["moves"], data["turn"]) == ("40", "bob")


@pytest.mark.usefixtures("games_table")
def test_show_game_shows_sides_deadline_and_ending() -> None:
    game = store.accept(store.invite(host="alice", opponent="bob", pace=300).game_id, player="bob")
    assert "\nmoved: 20" in run("show_game", game.game_id)
    assert "deadline: 20" in run("show_game", game.game_id)
    Game(game.game_id).update([Game.deadline.set(1)])
    assert "turn bob, but time is up" in run("show_game", game.game_id)
    Game(game.game_id).update([Game.deadline.set(game.deadline or 0)])
    over = store.resign(game, player="alice")
    text = run("show_game", over.game_id)
    assert "result bob (resigned)" in text
    assert "deadline: -" in text
    second = store.rematch(over, player="alice", game_id=str(uuid.uuid4()))
    assert "alice (X) vs. bob (O)" in run("show_game", second.game_id)


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize("game_id", ["x", "player#alice", "2ae80eff-822a-4380-aa4d-a3cadde82272", "", "x" * 3000])
def test_show_game_with_invalid_id_is_a_command_error(game_id: str, log_in: Any) -> None:
    log_in("alice")
    with pytest.raises(CommandError):
        run("show_game", game_id)


@pytest.mark.process
@pytest.mark.parametrize("name", ["migrate", "test", "makemigrations"])
def test_relational_commands_name_their_replacement(name: str) -> None:
    done = manage(name)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert ("create_table" if "migra" in name else "make test") in done.stderr


@pytest.mark.process
def test_create_table_dry_run_needs_no_configuration() -> None:
    done = manage("create_table", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["TableName"] == "Games"


@pytest.mark.process
@pytest.mark.parametrize(
    ("redirection", "code", "error"),
    [
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        (">/dev/full", 1, "manage.py stopped: [Errno 28] No space left on device\n"),
    ],
)
def test_closed_or_full_output_shows_no_traceback(redirection: str, code: int, error: str) -> None:
    command = f"{sys.executable} manage.py iam_policy --trust {redirection}"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, cwd=BASE_DIR, check=False)
    assert (done.returncode, done.stderr) == (code, error)


@pytest.mark.process
def test_closed_pipe_ends_a_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "manage.py", "iam_policy", "--trust"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=BASE_DIR, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.process
def test_terminal_gets_an_escape_for_what_it_cannot_print(tmp_path: Path) -> None:
    path = tmp_path / "ž.zip"
    path.touch()
    done = manage("bundle", "--check", str(path), PYTHONIOENCODING="ascii")
    assert "\\u017e.zip: it isn't a zip" in done.stdout
    assert "Traceback" not in done.stderr
