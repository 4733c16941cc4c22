"""The JavaScript modules: which page loads which, and that no page waits for one to find the next."""

import re
from pathlib import Path

import pytest
from django.test import Client

from games.storage import store
from tests.support.stages import game_after
from tictactoe_site.settings import BASE_DIR

FOLDER = BASE_DIR / "games/static/games"
LIVE = {"clock", "cues", "live", "polling", "status", "stream"}
BOARD = {"page", "fragment", "grid"}


def imported_by(name: str) -> set[str]:
    """Return the modules that this one imports, and those that they import."""
    own = set(re.findall(r'^import .*?"\./(\w+)\.js";$', (FOLDER / f"{name}.js").read_text(), re.MULTILINE))
    return own.union(*(imported_by(each) for each in own))


def loaded_by(client: Client, path: str) -> set[str]:
    """Return the modules that the page names: those that it runs, and those that it lets the browser fetch early.

    Fails if the browser would find another module only by reading these.
    """
    page = client.get(path).content.decode()
    run = set(re.findall(r'<script src="/static/games/(\w+)\.js" type="module"></script>', page))
    early = set(re.findall(r'<link rel="modulepreload" href="/static/games/(\w+)\.js">', page))
    assert run
    assert set().union(*(imported_by(name) for name in run)) <= run | early
    assert page.count("<script") == len(run)
    return run | early


def test_no_module_imports_itself_in_a_circle() -> None:
    for file in FOLDER.glob("*.js"):
        assert file.stem not in imported_by(file.stem)


def test_first_visit_loads_two_modules(games_table: str) -> None:
    assert loaded_by(Client(), "/") == {"page", "grid"}


def test_page_of_times_loads_their_tooltips(alice: Client) -> None:
    older = "/?before=FINISHED_~00000000-0000-0000-0000-000000000000"
    for path in ("/players/alice/", older):
        assert loaded_by(alice, path) == {"page", "clock", "fragment"}


def test_pages_of_forms_load_two_modules_at_most(alice: Client) -> None:
    assert loaded_by(alice, "/no-such-page/") == {"page"}
    assert loaded_by(alice, "/games/new/") == {"page", "people"}
    for browser, path in ((Client(), "/accounts/login/"), (alice, "/accounts/account/")):
        assert loaded_by(browser, path) == {"page", "password"}


def test_lobby_loads_what_keeps_it_current(alice: Client) -> None:
    assert loaded_by(alice, "/") == {"page", "fragment", "queue"} | LIVE


def test_game_page_loads_what_the_viewer_needs(alice: Client, bob: Client) -> None:
    game = game_after("")
    assert loaded_by(bob, f"/games/{game.game_id}/") == BOARD | LIVE | {"move", "queue"}
    assert loaded_by(Client(), f"/games/{game.game_id}/") == BOARD | LIVE
    invited = store.invite(host="alice", opponent=None)
    assert loaded_by(alice, f"/games/{invited.game_id}/") == BOARD | LIVE | {"move", "queue", "share"}
    assert loaded_by(bob, f"/games/{invited.game_id}/") == BOARD | LIVE | {"move", "queue"}


def test_finished_game_and_replay_keep_no_connection(alice: Client) -> None:
    over = game_after("03142")
    assert loaded_by(Client(), f"/games/{over.game_id}/") == BOARD
    # The other may be there still.
    assert loaded_by(alice, f"/games/{over.game_id}/") == BOARD | LIVE | {"queue"}
    assert loaded_by(alice, "/replay/03142/") == BOARD | {"replay", "share"}
    assert loaded_by(alice, "/replay/031/") == {"page", "grid", "replay"}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.js")), ids=lambda file: file.stem)
def test_module_is_on_a_page(file: Path) -> None:
    templates = "".join(page.read_text() for page in (BASE_DIR / "templates").rglob("*.html"))
    assert f'"{file.stem}"' in templates
