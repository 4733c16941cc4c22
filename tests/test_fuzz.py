"""Hostile requests, drawn at random: 5,000, or 200,000 by ``make fuzz``. None may cause a 500, or fill the log.

Each request has a seed of its own. A failure prints it, and ``make fuzz SEED=...`` begins with that one.
"""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from random import Random, SystemRandom
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client

from games.live.application import Live
from games.storage import store
from tests.support.loops import run_aside
from tictactoe_site.handler import Handler

COUNT, FULL_COUNT = 5_000, 200_000
# Always the same in CI, so that a run without a change of the code has the same result.
SEED = 20
# What a server sets itself. The fuzzer never changes it.
SERVER = {
    "wsgi.url_scheme": "http",
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
    "SERVER_NAME": "testserver",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SCRIPT_NAME": "",
    "REMOTE_ADDR": "127.0.0.1",
}
SESSION, CSRF = settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME
TOKEN = "a" * 32
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"
# All headers of an answer must fit into nginx's proxy_buffer_size, beside the server's own.
NGINX_HEADERS = 4000

CODECS = ("rot13", "base64", "zlib", "bz2", "hex", "punycode", "idna", "undefined", "unicode_escape", "utf-16", "utf-7")
CHARSETS = (*CODECS, "utf-8", "UTF8", "latin-1", "nonsense", "", "\0", "mbcs", "é", "a" * 3000, "../../x", "utf-8\r")
STRANGE = (
    *("", " ", "\r\n", "\xa0", "\xff", "\xc3\xa9", "\xe2\x80\xae", *map(chr, [*range(32), *range(127, 160)])),
    *("%", "%00", "%0d%0a", "%0D%0ASet-Cookie:%20a=b", "%ff", "%c3%28", "%ed%a0%80", "%2e%2e/", "%2F", "%u0041"),
    *("'", '"', "<script>", "{{ 7*7 }}", ";", ",", "=", "&", "#", "?", "*", "\\", "//", "/..", "[", "]", "@", ":", "|"),
    *("-1", "0", "1", "9" * 400, "9" * 5000, "1e999", "nan", "inf", "0x10", "\xd9\xa3", "None", "null", "true"),
    *("a" * 300, "a" * 5000, "\xc3\xa9" * 1000, "/" * 2000, "+" * 2000, "a=b;" * 500, "*/*," * 500),
    *("x; charset*=rot13''%41", "x; a*=nonsense''%41", "x; a*0=b; a*2=c", "x; a*0*=undefined''%41; a*1=c", "a/b;q=nan"),
)
HEADERS = {
    "HTTP_ACCEPT": ("application/json", "text/html", "*/*", "text/html;q=0.1, application/json"),
    "HTTP_HX_REQUEST": ("true",),
    "HTTP_HX_HISTORY_RESTORE_REQUEST": ("true",),
    "HTTP_HX_CURRENT_URL": ("http://testserver/",),
    "HTTP_X_FORWARDED_FOR": ("192.0.2.7", "2001:db8::1%" + "z" * 100, "192.0.2.7, 10.0.0.1"),
    "HTTP_X_FORWARDED_PROTO": ("https",),
    "HTTP_X_FORWARDED_HOST": ("evil.example",),
    "HTTP_X_FROM_BALANCER": ("1",),
    "HTTP_X_REQUEST_ID": ("0123456789abcdef",),
    "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE",),
    "HTTP_HOST": ("testserver", "127.0.0.1:8000", "evil.example", "[::1]", "[::1", "a:b:c", "testserver:99999999"),
    "HTTP_ORIGIN": ("http://testserver", "null", "https://evil.example"),
    "HTTP_REFERER": ("http://testserver/", "https://[", "https://evil.example/"),
    "HTTP_IF_NONE_MATCH": ('"x"', "*", 'W/"x", "y"'),
    "HTTP_IF_MODIFIED_SINCE": ("Sat, 29 Oct 1994 19:43:31 GMT", "Sat, 99 Oct 99999 99:99:99 GMT"),
    "HTTP_RANGE": ("bytes=0-9", "bytes=-1", "bytes=9-1", "bytes=" + "9" * 5000 + "-"),
    "HTTP_ACCEPT_ENCODING": ("gzip", "br;q=nan"),
    "HTTP_ACCEPT_LANGUAGE": ("de", "de;q=nan," * 300),
    "HTTP_CONTENT_ENCODING": ("gzip",),
    "HTTP_TRANSFER_ENCODING": ("chunked",),
    "HTTP_EXPECT": ("100-continue",),
    "HTTP_LAST_EVENT_ID": ("1",),
    "HTTP_AUTHORIZATION": ("Basic eDp5",),
    "HTTP_UPGRADE": ("websocket",),
    "HTTP_SCRIPT_NAME": ("/x",),
    "HTTP_PATH_INFO": ("/x",),
}
# They choose the kind of the answer, so they are sent more often.
CHOOSING = ("HTTP_ACCEPT", "HTTP_HX_REQUEST")
FIELDS = (
    *("opponent", "game", "level", "pace", "as", "square", "position", "username", "password", "next", "still"),
    *("since", "looking", "before", "after", "move", "name", "csrfmiddlewaretoken"),
)
VALUES = ("TopLeft", "bob", "alice", "computer", "perfect", "none", "60", "guest", "/games/new/", "//evil.example", "5")
PARTS = ("accept", "decline", "cancel", "resign", "rematch", "move", "state", "events")
PATHS = (
    *("/", "/healthz/", "/readyz/", "/games/new/", "/replay/402/", "/replay/", "/players/alice/", "/events/"),
    *("/accounts/login/", "/accounts/signup/", "/accounts/guest/", "/accounts/logout/", "/favicon.ico"),
    *("/static/games/site.css", "/static/", "/robots.txt"),
)
FOLDERS = ("players", "players", "games", "replay", "accounts", "static", "")
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get", "Post", "X" * 50, "QUERY")


@dataclass
class Cast:
    """What the requests use: cookies of visitors and players, and paths of games in each status."""

    cookies: list[str]
    games: list[str]


@pytest.fixture(scope="module", params=["moto"])
def engine(request: pytest.FixtureRequest, engines: Callable[[str], str]) -> str:
    return engines(request.param)


@pytest.fixture
def cast(games_table: str, log_in: Callable[[str], Client]) -> Cast:
    cookies = [f"{SESSION}={log_in(name).cookies[SESSION].value}" for name in ("alice", "bob")]
    guest = Client()
    guest.post("/accounts/guest/")
    going = store.accept(store.invite(host="alice", opponent="bob").game_id, player="bob", shown=None)
    over = store.accept(store.invite(host="bob", opponent="alice").game_id, player="alice", shown=None)
    store.resign(over, player="alice")
    pending = store.invite(host="alice", opponent=None)
    games = [f"/games/{game.game_id}/" for game in (going, over, pending)]
    return Cast([*cookies, f"{SESSION}={guest.cookies[SESSION].value}", "", f"{SESSION}=x:y:z"], games)


def text(random: Random) -> str:
    """Return a few pieces, strange ones and others. Each character is a byte, as in WSGI's environ."""
    pieces = (random.choice(random.choice((STRANGE, VALUES, FIELDS))) for _ in range(random.choice((1, 1, 1, 2, 3))))
    return "".join(each if random.random() < 0.8 else chr(random.randrange(256)) + each for each in pieces)


def path(random: Random, cast: Cast) -> str:
    game = random.choice([*cast.games, "/games/2ae80eff-822a-4380-aa4d-a3cadde82272/"])
    found = random.choice((*PATHS, game, f"{game}{random.choice(PARTS)}/"))
    match random.randrange(5):
        case 0:
            return found + text(random)
        case 1:
            return f"/{random.choice(FOLDERS)}/{text(random)}/"
        case 2:
            at = random.randrange(len(found) + 1)
            return found[:at] + text(random) + found[at:]
    return found


def pairs(random: Random) -> str:
    count = random.choice((0, 1, 1, 2, 3, 6)) if random.random() < 0.98 else 1100
    chosen = ((random.choice(FIELDS), text(random)) for _ in range(count))
    return "&".join(f"{name}={quote(value) if random.random() < 0.7 else value}" for name, value in chosen)


def content_type(random: Random) -> str:
    kind, charset = random.choice((FORM, FORM, MULTIPART, "text/plain", "x", "application/json", "", ";")), CHARSETS
    more = random.choice(("", "", "; charset={}", "; charset*={}''%41", "; a*={}''%41")).format(random.choice(charset))
    return kind + more if random.random() < 0.8 else text(random)


def multipart(random: Random) -> str:
    parts = []
    for _ in range(random.choice((1, 2, 5, 150))):
        more = random.choice(("", "; filename=f", "; filename*=nonsense''x", "; a*=x"))
        first = f'Content-Disposition: form-data; name="{random.choice(FIELDS)}"{more}'
        other = (f"Content-Type: {content_type(random)}", "Content-Transfer-Encoding: base64", text(random))
        parts.append("\r\n".join(("--B", first, random.choice(other), "", text(random))))
    return "\r\n".join((*parts, random.choice(("--B--", "--B--\r\n", "", "--"))))


def body(random: Random) -> bytes:
    size = random.random()
    if size < 0.002:
        return b"square=" + b"x" * 3_000_000
    drawn = multipart(random) if size < 0.15 else text(random) if size < 0.25 else pairs(random)
    return drawn.encode("latin-1", "replace")


def environ(seed: int, cast: Cast) -> dict[str, Any]:
    random = Random(seed)
    drawn: dict[str, Any] = {
        "REQUEST_METHOD": random.choice(("GET", "GET", "POST", "POST", "POST", random.choice(METHODS))),
        "PATH_INFO": path(random, cast),
        "QUERY_STRING": pairs(random) if random.random() < 0.5 else random.choice(("", text(random))),
        "HTTP_HOST": "testserver",
        "HTTP_COOKIE": f"{CSRF}={TOKEN}; {random.choice(cast.cookies)}",
        "HTTP_X_CSRFTOKEN": TOKEN,
    }
    chosen = {name for name in CHOOSING if random.random() < 0.3}
    for name in sorted(chosen.union(random.sample(list(HEADERS), random.choice((0, 0, 1, 2, 5))))):
        drawn[name] = random.choice(HEADERS[name]) if random.random() < 0.6 else text(random)
    if random.random() < 0.1:
        drawn["HTTP_COOKIE"] = f"{random.choice((SESSION, CSRF, 'session', text(random)))}={text(random)}"
    if random.random() < 0.2:
        drawn["CONTENT_TYPE"] = content_type(random)
    sent = b""
    if drawn["REQUEST_METHOD"] not in ("GET", "HEAD") or random.random() < 0.05:
        sent = body(random)
        drawn["CONTENT_TYPE"] = FORM if random.random() < 0.6 else content_type(random)
        # nginx and gunicorn refuse a length that is no number.
        wrong = random.choice(("", "0", str(len(sent) + 9), str(len(sent) // 2)))
        drawn["CONTENT_LENGTH"] = str(len(sent)) if random.random() < 0.9 else wrong
    return SERVER | drawn | {"wsgi.input": BytesIO(sent), "wsgi.errors": BytesIO(), "sent": sent}


def must_be_refused(drawn: dict[str, Any]) -> bool:
    """Whether this is surely bad input: a body that no view reads, or a method that there is not."""
    method = drawn["REQUEST_METHOD"].upper()
    if drawn["PATH_INFO"] in ("/healthz/", "/readyz/"):
        return False
    if method not in ("GET", "HEAD", "OPTIONS", "POST"):
        return True
    unread = drawn.get("CONTENT_TYPE", "").startswith(("text/plain", "application/json", "x"))
    return method == "POST" and unread and drawn["CONTENT_LENGTH"] not in ("", "0")


def described(seed: int, drawn: dict[str, Any]) -> str:
    shown = {name: value for name, value in drawn.items() if name not in SERVER}
    return f"make fuzz SEED={seed}: {shown!r:.3000}"


def answer(handler: Handler, drawn: dict[str, Any]) -> tuple[int, list[tuple[str, str]]]:
    """Return the status and the headers. Raises what the handler raises."""
    told: list[Any] = []
    with closing(handler(dict(drawn), lambda *given: told.append(given))) as response:  # type: ignore[arg-type]
        for _ in response:
            pass
    [(status, headers)] = told
    return int(status.split(" ")[0]), headers


def seeds(request: pytest.FixtureRequest) -> range:
    full, given = request.config.getoption("--full"), request.config.getoption("--seed")
    first = given or (SystemRandom().randrange(10**9) if full else SEED)
    return range(first, first + (FULL_COUNT if full else COUNT))


def test_no_request_causes_500(
    cast: Cast,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    report: Callable[[str], None],
    settings: Any,
) -> None:
    caplog.set_level(logging.ERROR)
    settings.HAS_SHARED_KEY = True  # or /readyz/ reports its absence to a load balancer
    handler, seen = Handler(), Counter[int]()
    for seed in seeds(request):
        drawn = environ(seed, cast)
        shown = described(seed, drawn)
        try:
            status, headers = answer(handler, drawn)
        except Exception as exc:
            raise AssertionError(shown) from exc
        seen[status] += 1
        assert status < 500 or (status == 503 and "events" in drawn["PATH_INFO"]), shown
        assert 400 <= status < 500 or not must_be_refused(drawn), (status, shown)
        assert all(value.isprintable() and value.isascii() for _, value in headers), (headers, shown)
        assert sum(len(name) + len(value) + 4 for name, value in headers) < NGINX_HEADERS, (headers, shown)
        assert [each for each in caplog.records if each.exc_info] == [], shown
        caplog.clear()
    report(f"fuzzed requests by status: {dict(sorted(seen.items()))}")
    assert {200, 303, 400, 403, 404, 405, 413, 415} <= seen.keys(), "the requests reach all of the site"


def test_no_request_for_events_causes_500(
    cast: Cast, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """Without its start, ``live`` has room for no stream: a request that it can read is a 503 that says so."""
    live, seen = Live(), Counter[int]()

    async def all_of_them() -> None:
        for seed in seeds(request)[::10]:
            drawn = environ(seed, cast)
            if seed % 3:
                drawn["PATH_INFO"] = ("/events/", f"{cast.games[0]}events/")[seed % 2]
            shown = described(seed, drawn)
            try:
                status, told = await streamed(live, drawn)
            except Exception as exc:
                raise AssertionError(shown) from exc
            seen[status] += 1
            assert status < 500 or b"all the streams it can hold" in told, (status, told, shown)

    run_aside(all_of_them)
    assert {200, 400, 403, 404, 405, 503} <= seen.keys()
    assert caplog.records == []


async def streamed(live: Live, drawn: dict[str, Any]) -> tuple[int, bytes]:
    """Return the status and the body that ``live`` sends."""
    told: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    await live(scope(drawn), receive, send)
    return told[0]["status"], told[-1]["body"]


def scope(drawn: dict[str, Any]) -> dict[str, Any]:
    """Return the same request as gunicorn's ASGI worker passes it on."""
    sent = {name: value for name, value in drawn.items() if name.startswith(("HTTP_", "CONTENT_"))}
    headers = {name.removeprefix("HTTP_").replace("_", "-").lower(): value for name, value in sent.items()}
    return {
        "type": "http",
        "method": drawn["REQUEST_METHOD"],
        "path": drawn["PATH_INFO"].encode("latin-1").decode(errors="replace"),
        "query_string": drawn["QUERY_STRING"].encode("latin-1"),
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "root_path": "",
    }
