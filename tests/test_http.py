"""Edge cases of HTTP: health, readiness, an unavailable table, error pages, headers, and hostile input."""

import logging
import re
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from games import signing
from tests.conftest import PASSWORD, again
from tests.support.engines import free_port
from tests.support.pages import HTMX, JSON
from tictactoe_site import config, table

GAME = "/games/2ae80eff-822a-4380-aa4d-a3cadde82272/"


def test_healthz_is_200_for_any_host() -> None:
    for host in ("10.1.2.3", "evil.example", "_"):
        assert Client().get("/healthz/", headers={"host": host}).status_code == 200


def test_readyz_is_200_when_table_answers(games_table: str) -> None:
    answer = Client().get("/readyz/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "table": "Games"})


@pytest.mark.parametrize("host", ["10.1.2.3", "localhost", "evil.example", "_", ""])
def test_readyz_answers_whatever_the_host(games_table: str, host: str) -> None:
    assert Client().get("/readyz/", headers={"host": host}).json() == {"status": "ok", "table": "Games"}


def test_readyz_is_503_without_table(games_table: str) -> None:
    table.bind(config.Config(table="Other", endpoint=games_table, access_key_id="local", secret_access_key="local"))
    answer = Client().get("/readyz/")
    assert answer.status_code == 503
    assert "create_table" in answer.json()["error"]


@pytest.fixture
def no_dynamodb(alice: Client) -> Client:
    """Return alice's browser, with the table unreachable from now on."""
    address = f"http://127.0.0.1:{free_port()}"
    table.bind(config.Config(endpoint=address, access_key_id="local", secret_access_key="local"))
    return alice


def test_unavailable_table_is_503_with_retry_after(no_dynamodb: Client, caplog: pytest.LogCaptureFixture) -> None:
    for path in ("/", GAME, f"{GAME}state/"):
        answer = no_dynamodb.get(path)
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
        assert "try again" in answer.content.decode()
    assert "try again" in no_dynamodb.post(f"{GAME}accept/", headers=JSON).json()["error"]
    assert "nothing accepts connections" in caplog.text
    assert "Traceback" not in caplog.text
    assert no_dynamodb.get("/readyz/").status_code == 503
    assert no_dynamodb.get("/healthz/").status_code == 200


def test_unavailable_page_refreshes_and_form_can_be_resent(no_dynamodb: Client) -> None:
    page = no_dynamodb.get(GAME)
    assert page["Refresh"] == page["Retry-After"]
    form = no_dynamodb.post("/games/new/", {"opponent": "bob", "game": (new := signing.new_game()), "other": "x"})
    assert form.status_code == 503
    assert "Refresh" not in form
    assert f'name="game" value="{new}"' in form.content.decode()
    assert 'name="other"' not in form.content.decode()


def test_block_can_be_sent_again_as_it_was(no_dynamodb: Client) -> None:
    form = no_dynamodb.post("/accounts/block/", {"player": "bob", "undo": ""}).content.decode()
    assert re.findall(r'name="(player|undo)" value="(\w*)"', form) == [("player", "bob"), ("undo", "")]
    assert "Sending it again is safe" in form


def test_unavailable_page_never_contains_password(no_dynamodb: Client) -> None:
    no_dynamodb.post("/accounts/logout/")
    answer = no_dynamodb.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 503
    assert PASSWORD not in answer.content.decode()
    assert "<form" not in answer.content.decode().split("<main")[1]
    assert "Sending it again is safe" not in answer.content.decode()


def test_error_for_fragment_is_retargeted_to_message(no_dynamodb: Client) -> None:
    answer = no_dynamodb.post(f"{GAME}move/", {"square": "TopLeft"}, headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (503, "#message")
    assert "<" not in answer.content.decode()


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "[::1]"])
def test_unknown_host_is_400_with_page(host: str) -> None:
    answer = Client().get("/", headers={"host": host})
    assert "allowed_hosts" in answer.content.decode()
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()


def test_unknown_page_is_404_as_html_and_json() -> None:
    page = Client().get("/nothing/").content.decode()
    assert "We can&#39;t find that page." in page
    assert page.count(">4</text>") == 2  # "404" is drawn, with an O for the zero
    assert Client().get("/nothing/", headers=JSON).json() == {"error": "We can't find that page."}
    for path in ("/games/player%23alice/", "/games/x/", GAME.upper(), "/games/%00/"):
        assert Client().get(path).status_code == 404


def test_wrong_methods_are_405(alice: Client) -> None:
    for path in (f"{GAME}move/", f"{GAME}accept/", "/accounts/guest/"):
        assert alice.get(path, headers=JSON).status_code == 405
    for path in ("/", GAME, f"{GAME}state/", "/replay/0/"):
        assert alice.post(path).status_code == 405
        assert alice.put(path).status_code == 405


def test_pages_have_strict_security_headers(games_table: str) -> None:
    answer = Client().get("/")
    policy = answer["Content-Security-Policy"]
    assert "manifest-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    page = answer.content.decode()
    assert "<style" not in page
    assert "<script>" not in page
    assert 'style="' not in page


def test_static_files_are_served(games_table: str) -> None:
    own = ("site.css", "page.js", "grid.js", "icon.svg", "icon-turn.svg", "touch-icon.png", "preview.png")
    for path in ("games/manifest.webmanifest", *(f"games/{name}" for name in own)):
        answer = Client().get(f"/static/{path}")
        assert answer.status_code == 200
        answer.close()


def test_session_cookie_is_httponly_and_samesite(alice: Client) -> None:
    session = alice.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


@pytest.fixture
def player(alice: Client) -> Client:
    alice.raise_request_exception = False
    return alice


anything = st.text(max_size=60) | st.sampled_from(["TopLeft", "bob", "computer", "alice", "0", "\x00", "𝟘", "'\"<>"])
FUZZ = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(
    path=st.sampled_from(
        [
            *(f"{GAME}{action}/" for action in ("move", "accept", "cancel", "resign", "rematch")),
            *("/games/new/", "/accounts/signup/", "/accounts/login/"),
        ]
    ),
    htmx=st.booleans(),
    form=st.dictionaries(
        st.sampled_from(
            ["opponent", "game", "level", "pace", "as", "square", "position", "username", "password", "next"]
        ),
        anything,
    ),
    accept=st.sampled_from(["text/html", "application/json", "*/*", "", ";;;", "text/html;q=x", "a/b;q=nan", "é"]),
)
def test_no_form_causes_500(player: Client, path: str, htmx: bool, form: dict[str, str], accept: str) -> None:
    headers = {"accept": accept} | (HTMX if htmx else {})
    assert player.post(path, form, headers=headers).status_code < 500


@pytest.mark.parametrize("target", ["/a\nb", "/\x00", "/é", "/" + "x" * 5000])
@pytest.mark.parametrize("headers", [HTMX, JSON, {}])
def test_no_next_parameter_causes_500(games_table: str, target: str, headers: dict[str, str]) -> None:
    client = Client(raise_request_exception=False)
    for _ in range(2):  # as a visitor, then as the guest it became
        answer = client.post("/accounts/guest/", {"next": target}, headers=headers)
        assert answer.status_code in (200, 303)
        assert "\n" not in answer.headers.get("HX-Redirect", "")
        assert (answer.headers["Content-Type"] == "application/json") == (headers == JSON)


def test_unexpected_error_is_500_page_with_logged_traceback(
    player: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("games.storage.lobby.newest", lambda name, now: 1 / 0)
    answer = player.get("/")
    assert (answer.status_code, "not with you" in answer.content.decode()) == (500, True)
    assert "ZeroDivisionError" in caplog.text


def test_poll_redirects_after_cancel_or_logout(alice: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    alice.post(f"{url}cancel/")
    assert alice.get(f"{url}?since=0", headers=HTMX)["HX-Redirect"] == url
    alice.post("/accounts/logout/")
    assert alice.get("/", headers=HTMX)["HX-Redirect"] == "/"
    assert alice.get("/", headers=JSON).json() == {"player": None}


@FUZZ
@given(
    path=st.text(max_size=30),
    query=st.dictionaries(st.sampled_from(["move", "before", "after", "since", "next", "name"]), anything),
)
def test_no_url_causes_500(player: Client, path: str, query: dict[str, str]) -> None:
    for prefix in ("/", "/games/", "/replay/", "/players/", "/accounts/login/"):
        address = f"{prefix}{path}/"
        status = player.get(address, query).status_code
        assert status < 500 or (address, status) == ("/events/", 503), "only the live process serves these"
    assert player.get("/", query).status_code < 500


@pytest.mark.parametrize("name", ["%0d%0aSet-Cookie:%20a=b", "%00", "%7f", "%c2%85", "%E2%80%A8", "100%25"])
def test_page_loaded_instead_of_fragment_has_the_same_address(games_table: str, name: str) -> None:
    answer = Client().get(f"/players/{name}/", headers=HTMX)
    assert unquote(answer["HX-Redirect"]) == unquote(f"/players/{name}/")
    assert answer["HX-Redirect"].isascii()
    assert answer["HX-Redirect"].isprintable()


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"a=1&" * 1100, 413), (b"square=" + b"x" * 3_000_000, 413), (b"a=%ff&" * 900, 403)],
)
def test_form_that_is_too_long_is_413_and_not_in_the_log(
    alice: Client, caplog: pytest.LogCaptureFixture, body: bytes, status: int
) -> None:
    strict = again(alice)
    for headers in (JSON, {}, HTMX):
        answer = strict.generic("POST", "/games/new/", body, "application/x-www-form-urlencoded", headers=headers)
        assert (answer.status_code, "send less" in answer.content.decode()) == (status, status == 413)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe=\x80", "application/x-www-form-urlencoded"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data"),
        (b"{", "application/json"),
        (b"a=1&" * 2000, "application/x-www-form-urlencoded"),
        (b"square=" + b"x" * 3_000_000, "application/x-www-form-urlencoded"),
        (b"square=TopLeft", "application/x-www-form-urlencoded; charset=nonsense"),
    ],
)
def test_no_body_causes_500(player: Client, body: bytes, content_type: str) -> None:
    for path in ("/games/new/", f"{GAME}move/", "/accounts/login/"):
        assert player.generic("POST", path, body, content_type).status_code < 500
