"""Templates: their declared variables, and rendering when the request lacks a user or forms."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.template import engines
from django.template.loader import render_to_string
from django.test import Client
from django.utils.timezone import now
from jinja2 import Environment, StrictUndefined, meta, nodes

from games.match import Status
from games.pages.game import GamePage
from games.pages.link import Link
from games.pages.lobby import LobbyPage
from games.signing import new_game
from games.storage.lobby import Lobby
from tests.support.many import game_of
from tictactoe_site.jinja import compile_all

DECLARED = re.compile(r"\{# (?:.*?\.\s+)?Takes (.*?)\. #\}", re.DOTALL)


@pytest.fixture
def env() -> Environment:
    return engines["jinja2"].env  # type: ignore[attr-defined, no-any-return]


def source_of(env: Environment, name: str) -> str:
    assert env.loader
    return env.loader.get_source(env, name)[0]


def declared_in(source: str) -> set[str]:
    """Return the names in a comment like "Takes a, b (what it is), c, and base.html's."."""
    found = DECLARED.match(source)
    words = re.sub(r"\([^)]*\)", "", found[1]).split(",") if found else []
    names = {word.strip() for word in words}
    return {name for name in names if name and " " not in name}


def bound_in(tree: nodes.Template) -> set[str]:
    """Return the names that the template imports or sets itself, which Jinja2 doesn't see from inside a block."""
    imported = {name for each in tree.find_all(nodes.FromImport) for name in each.names if isinstance(name, str)}
    named = {each.target for each in tree.find_all(nodes.Import)}
    assigned = {each.target.name for each in tree.find_all(nodes.AssignBlock) if isinstance(each.target, nodes.Name)}
    return imported | named | assigned


def test_each_template_declares_its_variables(env: Environment) -> None:
    names = [name for name in env.list_templates() if name.endswith(".html")]
    assert len(names) > 10
    for name in names:
        source = source_of(env, name)
        tree = env.parse(source)
        taken = meta.find_undeclared_variables(tree) - set(env.globals) - bound_in(tree)
        assert declared_in(source) == taken, name


def test_all_templates_compile() -> None:
    compile_all()


def test_error_page_renders_without_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Client().get("/no-such-page/").content.decode()
    assert ("data-player" in page, "Log in" in page) == (True, True)
    monkeypatch.setattr("accounts.middleware.current_user", lambda request: 1 / 0)
    answer = Client(raise_request_exception=False).get("/")
    page = answer.content.decode()
    assert (answer.status_code, "Something went wrong here" in page) == (500, True)
    assert "data-player" not in page
    assert "Log in" not in page


def test_page_has_one_csrf_token_and_none_without_forms() -> None:
    welcome = Client().get("/")
    tokens = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', welcome.content.decode())
    assert len(tokens) == 2
    assert len(set(tokens)) == 1
    assert settings.CSRF_COOKIE_NAME in welcome.cookies
    assert settings.CSRF_COOKIE_NAME not in Client().get("/replay/03142/").cookies


def test_setup_page_and_refused_host_need_no_user(settings: Any) -> None:
    unknown = Client().get("/", headers={"host": "evil.example"})
    assert (unknown.status_code, "does not know the name" in unknown.content.decode()) == (400, True)
    settings.SETUP_PROBLEM = "Something is missing: set it."
    setup = Client().get("/")
    assert (setup.status_code, "Something is missing: set it." in setup.content.decode()) == (503, True)
    assert not setup.cookies


def test_there_is_one_engine_and_it_is_strict(settings: Any, env: Environment) -> None:
    assert [each["BACKEND"] for each in settings.TEMPLATES] == ["django.template.backends.jinja2.Jinja2"]
    assert env.undefined is StrictUndefined
    assert env.autoescape


def test_names_with_markup_are_escaped() -> None:
    """The AWS example accepted any name."""
    name = "<img src=x onerror=1>\"'"
    sent, received = (game_of(Status.PENDING, 0, *seats).match() for seats in (("alice", name), (name, "alice")))
    playing = game_of(Status.IN_PROGRESS, 0, name, "alice", top_left="X", turn=name).match()
    over = game_of(Status.FINISHED, 0, "alice", name, result=name).match()
    lobby = LobbyPage(Lobby(received=[received], sent=[sent], playing=[playing], finished=[over]), "alice", now())
    given = {"page": lobby, "paged": False, "csrf": "", "new_game": new_game}
    pages = [render_to_string("games/_lobby.html", given)]
    for game in (sent, received, playing, over):
        for viewer in ("", "alice", name):
            context = Link(GamePage(game, viewer, now()), f"http://testserver/{name}").context(error=name)
            pages.append(render_to_string("games/_game.html", context | {"csrf": ""}))
    for page in pages:
        assert "&lt;img" in page
        assert "<img" not in page
        assert "\"'" not in page
