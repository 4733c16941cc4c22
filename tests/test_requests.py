"""Requests as browsers, scripts and people send them: bodies, media types, pasted addresses and typed passwords."""

import unicodedata
from collections.abc import Callable
from contextlib import closing
from typing import Any, Literal

import pytest
from django.contrib.auth.hashers import make_password
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory

from accounts.models import Player
from games.models import Game
from games.storage import store
from tests.support.pages import HTMX, JSON, unmarked

ALICES = "a\N{LATIN SMALL LETTER E WITH ACUTE} secret phrase"


@pytest.fixture(scope="module", params=["moto"])
def engine(request: pytest.FixtureRequest, engines: Callable[[str], str]) -> str:
    return engines(request.param)


@pytest.fixture
def alice(games_table: str, log_in: Callable[[str], Client]) -> Client:
    return log_in("alice")


@pytest.fixture
def game(alice: Client) -> str:
    """Return the path of alice's invitation to bob."""
    return f"/games/{store.invite(host='alice', opponent='bob').game_id}/"


def games() -> list[Game]:
    return [item for item in Game.scan() if item.is_game]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=latin-1"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=nonsense"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}, 411),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, 201),
    ],
)
def test_body_that_is_no_form_is_refused_and_makes_no_game(alice: Client, headers: dict[str, str], status: int) -> None:
    kind = headers["Content-Type"]
    more = {name: value for name, value in headers.items() if name != "Content-Type"}
    for body in (b"opponent=bob", b'{"opponent": "bob"}')[: 1 if status == 201 else 2]:
        answer = alice.generic("POST", "/games/new/", body, kind, headers=JSON | more)
        assert answer.status_code == status, answer.content
        if status != 201:
            assert "send" in answer.json()["error"], "says what to do"
    assert [game.opponent_id for game in games()] == (["bob"] if status == 201 else [])


def test_no_body_is_an_empty_form(alice: Client) -> None:
    answer = alice.generic("POST", "/games/new/", b"", "", headers=JSON)
    assert (answer.status_code, answer.json()["opponent"]) == (201, None)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_405_before_any_other_check(method: str, game: str) -> None:
    visitor = Client(enforce_csrf_checks=True)
    for path in ("/", game, f"{game}move/", "/accounts/login/"):
        answer = visitor.generic(method, path, b"x=1", "application/x-www-form-urlencoded")
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        ("application/json; charset=utf-8", True),
        ("application/json;q=0.9, text/html;q=0.1", True),
        ("text/html, application/json;q=0.9", False),
        ("application/json, text/html;q=0.9", True),
        ("text/html;level=1, application/json", False),
        ("application/json;q=0, */*", False),
        ("application/*", True),
        ("application/*, text/html;q=0.5, application/json;q=0.1", False),
        ("*/*", False),
        ("", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/json;q=nonsense, text/html;q=0.5", True),
        ("nonsense", False),
        ("application/json; a*=nonsense''%41", False),
        ("application/json, text/plain, */*", True),
        ("application/json, */*", True),
        ("application/json, text/html", True),
    ],
)
def test_preferred_media_type_is_by_quality(alice: Client, accept: str, json: bool) -> None:
    answer = alice.get("/", headers={"accept": accept})
    assert answer["Content-Type"].startswith("application/json" if json else "text/html")


def test_state_and_its_errors_are_json_whatever_is_asked_for(alice: Client, game: str) -> None:
    for path, status in ((game, 200), ("/games/2ae80eff-822a-4380-aa4d-a3cadde82272/", 404)):
        for accept in ("text/html", "*/*"):
            answer = alice.get(f"{path}state/", headers={"accept": accept})
            assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")


@pytest.mark.parametrize("behind", ["", ")", ".", ",", ">", " ", "/)", ").", "/>,", "%E2%80%9D"])
@pytest.mark.parametrize("change", [str, str.upper])
def test_pasted_address_leads_to_the_game(game: str, behind: str, change: Callable[[str], str]) -> None:
    path = f"/games/{change(game.split('/')[2])}{behind}"
    answer = Client().get(path, follow=True)
    assert (answer.status_code, answer.request["PATH_INFO"]) == (200, game)


@pytest.mark.parametrize("behind", ["", ")", ".", ",", ").", "/)", "/."])
@pytest.mark.parametrize("path", ["/replay/03142", "/players/alice", "/players/Alice"])
def test_pasted_address_leads_to_the_replay_or_player(alice: Client, path: str, behind: str) -> None:
    answer = Client().get(f"{path}{behind}", follow=True)
    assert (answer.status_code, answer.request["PATH_INFO"]) == (200, f"{path.lower()}/")


def test_pasted_address_keeps_its_move(alice: Client) -> None:
    for address in ("/replay/03142/?move=2)", "/replay/03142/)?move=2"):
        answer = Client().get(address, follow=True)
        assert "Move 2 of 5" in answer.content.decode()


def test_address_of_no_game_is_404(games_table: str) -> None:
    for path in ("/games/2ae80eff-822a-4380-aa4d/", "/games/2ae80eff-822a-4380-aa4d-a3cadde82272/x", "/games/"):
        assert Client().get(path, follow=True).status_code == 404


def test_actions_address_leads_to_the_game(alice: Client, game: str) -> None:
    for player in (alice, Client()):
        for action in ("accept", "decline", "cancel", "resign", "rematch", "move"):
            answer = player.get(f"{game}{action}/")
            assert (answer.status_code, answer["Location"]) == (303, game)
        for path in ("/accounts/logout/", "/accounts/guest/"):
            assert (player.get(path).status_code, player.get(path)["Location"]) == (303, "/")
    assert alice.get("/").status_code == 200, "still logged in"
    assert alice.get(f"{game}move/", headers=JSON).status_code == 405


def test_player_named_state_has_a_page(games_table: str, log_in: Callable[[str], Client]) -> None:
    assert "<h1>state</h1>" in unmarked(log_in("state").get("/players/state/"))


def test_form_from_another_address_is_the_operators_matter(alice: Client, game: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = alice.cookies
    answer = strict.post(f"{game}accept/", {}, headers={"Origin": "https://testserver"})
    assert (answer.status_code, "operator can set https" in answer.content.decode()) == (403, True)


def test_405_says_so_in_each_form(alice: Client) -> None:
    for headers in (JSON, {}, HTMX):
        answer = alice.post("/", headers=headers)
        assert (answer.status_code, "takes no POST" in answer.content.decode()) == (405, True)
        assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_form_of_another_session_leads_to_the_page_again(game: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    cookies_off = strict.post(f"{game}accept/", {}).content.decode()
    assert "allow cookies for this site" in cookies_off
    strict.get("/accounts/login/")
    stale = strict.post(f"{game}accept/", {"csrfmiddlewaretoken": "x" * 64})
    page = stale.content.decode()
    assert stale.status_code == 403
    assert ("cookie" in page, f'href="{game}accept/"' in page) == (False, True)


def test_no_answer_to_a_form_says_to_reload(alice: Client, game: str) -> None:
    """A reload would send the same form again."""
    forms = (
        (f"{game}move/", {"square": "TopLeft", "position": "forged"}),
        ("/games/new/", {"opponent": "bob", "game": "forged"}),
    )
    for path, form in forms:
        for headers in ({}, HTMX, JSON):
            answer = alice.post(path, form, headers=headers)
            assert answer.status_code == 400
            assert "eload" not in answer.content.decode().replace("preload", "")


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_password_is_the_same_from_each_keyboard(
    games_table: str, forms: tuple[Literal["NFC", "NFD"], Literal["NFC", "NFD"]]
) -> None:
    typed, other = (unicodedata.normalize(form, ALICES) for form in forms)
    other = other.replace(" ", "\N{NO-BREAK SPACE}")
    Client().post("/accounts/signup/", {"username": "zoe", "password": typed})
    for password, status in ((typed, 303), (other, 303), (typed + "x", 403), (typed.replace("a", "A", 1), 403)):
        assert Client().post("/accounts/login/", {"username": "zoe", "password": password}).status_code == status


def test_older_password_is_good_as_it_was_typed(games_table: str) -> None:
    typed = unicodedata.normalize("NFD", ALICES)
    Player(Player.key("zoe"), password=make_password(typed), joined="2026-01-01").save()
    assert Client().post("/accounts/login/", {"username": "zoe", "password": typed}).status_code == 303


def test_name_may_be_typed_in_wide_letters(games_table: str) -> None:
    wide = "\N{FULLWIDTH LATIN CAPITAL LETTER Z}oe"
    answer = Client().post("/accounts/signup/", {"username": wide, "password": ALICES}, headers=JSON)
    assert answer.json() == {"player": "zoe"}


def test_files_that_browsers_and_robots_ask_for(games_table: str) -> None:
    for path, kind in (
        ("/favicon.ico", "image/x-icon"),
        ("/robots.txt", "text/plain"),
        ("/static/games/manifest.webmanifest", "application/manifest+json"),
    ):
        answer = Client().get(path)
        answer.close()
        assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (200, kind)


def test_head_has_no_body(alice: Client, game: str) -> None:
    """Tested without Django's client, which drops it."""
    application: Any = WSGIHandler()
    for path in ("/", game, "/healthz/", f"{game}state/", "/nowhere/"):
        environ = RequestFactory().head(path).environ
        with closing(application(environ, lambda *_: None)) as head:
            assert b"".join(head) == b""
        assert Client().get(path).content != b""
