"""Check "Make it your game" in CONTRIBUTING.md: misère, where a line loses, takes one change in one file.

The tests make the change in a copy of the project, serve it, and play over HTTP.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.players import Player
from tests.support.sites import playing
from tictactoe_site.config import BASE_DIR

pytestmark = [pytest.mark.process, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]

PACKAGES = ("dynamodb", "tictactoe_site", "accounts", "beanstalk", "games", "templates")
RULES = "games/rules/board.py"
OURS, MISERE = "Outcome(Mark(board[won[0][0]]), ", "Outcome(Mark(board[won[0][0]]).other, "


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("misere")
    for package in PACKAGES:
        shutil.copytree(BASE_DIR / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(BASE_DIR / "manage.py", folder)
    rules = (folder / RULES).read_text()
    assert rules.count(OURS) == 1
    (folder / RULES).write_text(rules.replace(OURS, MISERE))
    return folder


@pytest.fixture
def site(games_table: str, project: Path) -> Iterator[str]:
    with playing("--endpoint", games_table, project=project) as (address, _):
        yield address


def play(x: Player, o: Player, path: str, moves: str) -> None:
    assert x.insist("POST", f"{path}accept/").status_code == 200
    for number, digit in enumerate(moves):
        player = (x, o)[number % 2]
        position = player.insist("GET", path).json()["position"]
        assert player.move(path, int(digit), position).status_code == 200


@pytest.mark.parametrize(("moves", "result"), [("03142", "alice"), ("031485", "bob"), ("021354678", "Tie")])
def test_misere_result_reaches_table_lobby_replay_and_events(site: str, moves: str, result: str) -> None:
    alice, bob = Player(site, name="alice"), Player(site, name="bob")
    path = alice.invite("bob")
    play(bob, alice, path, moves[:-1])
    with requests.get(f"{site.rstrip('/')}{path}events/", stream=True, timeout=30) as events:
        last = (bob, alice)[(len(moves) - 1) % 2]
        position = last.insist("GET", path).json()["position"]
        assert last.move(path, int(moves[-1]), position).json()["result"] == result
        assert any(b"data-over" in line for line in events.iter_lines())
    lobby = bob.insist("GET", "/").json()
    assert [game["result"] for game in lobby["finished"]] == [result]
    winner = {"alice": "O wins", "bob": "X wins", "Tie": "A tie"}[result]
    assert winner in requests.get(f"{site}replay/{moves}/", timeout=30).text
