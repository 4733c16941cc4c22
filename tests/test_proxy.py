"""Which client address and scheme the site believes, behind nginx with and without a load balancer."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPMessage
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from accounts import store
from games.match import Status
from tests.conftest import PASSWORD
from tests.support.instances import Instance, instance
from tests.support.many import game_of, put
from tests.support.nginx import BALANCER
from tests.support.sites import configured_for
from tictactoe_site.config import BASE_DIR
from tictactoe_site.table import Item

pytestmark = pytest.mark.process
behind_nginx = pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)

SITE = "play.example.com"
BY_HTTPS = {"X-Forwarded-Proto": "https"}
# A client that connects without a balancer, as on a single instance.
SOMEBODY = "127.0.0.1"
FORGED = BY_HTTPS | {
    "X-Forwarded-For": "192.0.2.66",
    "X-Forwarded-Protocol": "ssl",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=192.0.2.66;proto=https;host=evil.example",
}


@pytest.fixture(scope="module")
def site(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Run an instance configured for HTTPS, with one stream per address."""
    folder = tmp_path_factory.mktemp("instance")
    with Path(configured_for(engine, folder, f"{SITE} .example.org")).open("a") as file:
        file.write("https = yes\nstreams_per_address = 1\n")
    with instance(engine, folder) as running:
        yield running


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    text: str


def connected(site: Instance, source: str) -> HTTPConnection:
    address = urlsplit(site.address)
    assert address.hostname
    return HTTPConnection(address.hostname, address.port, timeout=60, source_address=(source, 0))


def at(site: Instance, name: str) -> Instance:
    """Return the site as it answers without nginx, at the port of one of its processes."""
    return replace(site, address=f"http://127.0.0.1:{site.ports[name]}")


def ask(
    site: Instance, path: str, source: str, headers: dict[str, str], *, form: dict[str, str] | None = None
) -> Answer:
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    with closing(connected(site, source)) as connection:
        body = urlencode(form) if form else None
        connection.request("POST" if form else "GET", path, body, {"Host": SITE} | kind | headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode())


def test_nginx_trusts_only_private_ranges() -> None:
    text = (BASE_DIR / ".platform/nginx/conf.d/forwarded.conf").read_text()
    ranges = re.findall(r"^set_real_ip_from (\S+);$", text, re.MULTILINE)
    assert ranges == re.findall(r"^ +(\S+) +1;$", text, re.MULTILINE)
    assert "10.0.0.0/8" in ranges
    assert not [found for found in ranges if ip_network(found).is_global]


@behind_nginx
def test_scheme_is_taken_from_balancer(site: Instance) -> None:
    page = ask(site, "/", BALANCER, BY_HTTPS | {"X-Forwarded-For": "192.0.2.7"})
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in ask(site, "/healthz/", BALANCER, {}).headers
    for path, name in (("/healthz/", "web"), ("/events/", "live"), ("/healthz/", "live")):
        plain, encrypted = (ask(at(site, name), path, SOMEBODY, headers).headers for headers in ({}, BY_HTTPS))
        assert (plain["X-Content-Type-Options"], plain["Strict-Transport-Security"]) == ("nosniff", None)
        assert encrypted["Strict-Transport-Security"] == "max-age=31536000"
    sent_on = ask(site, "/?next=1", BALANCER, {"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.7"})
    assert (sent_on.status, sent_on.headers["Location"]) == (301, f"https://{SITE}/?next=1")


@behind_nginx
def test_scheme_is_not_taken_from_client(site: Instance) -> None:
    alone = ask(site, "/", SOMEBODY, FORGED)
    assert (alone.status, alone.headers["Location"]) == (301, f"https://{SITE}/")
    through_the_balancer = ask(site, "/", BALANCER, FORGED | {"X-Forwarded-Proto": "http"})
    assert (through_the_balancer.status, through_the_balancer.headers["Location"]) == (301, f"https://{SITE}/")


@behind_nginx
def test_gunicorn_takes_scheme_from_x_forwarded_proto_only(site: Instance) -> None:
    others = {name: value for name, value in FORGED.items() if name != "X-Forwarded-Proto"}
    web = at(site, "web")
    assert ask(web, "/", SOMEBODY, others).status == 301
    assert ask(web, "/", SOMEBODY, BY_HTTPS).status == 200


@behind_nginx
@pytest.mark.parametrize("parameter", ["charset=rot13", "charset=undefined", "charset=punycode", "a*=nonsense''%41"])
def test_content_type_of_a_page_does_not_matter(site: Instance, parameter: str) -> None:
    strange = BY_HTTPS | {"Content-Type": f"x; {parameter}"}
    for path in ("/healthz/?a=1", "/replay/402/?a=1", "/static/games/site.css?a=1"):
        assert ask(site, path, BALANCER, strange).status == 200
        assert ask(at(site, "web"), path, SOMEBODY, strange).status == 200
    for query in ("a=1", "a=%ff"):
        assert ask(at(site, "live"), f"/events/?{query}", SOMEBODY, strange).status in (400, 403)


@behind_nginx
def test_script_name_is_no_header(site: Instance) -> None:
    for name in ("web", "live"):
        for header in ("SCRIPT_NAME", "PATH_INFO"):
            assert ask(at(site, name), "/healthz/", SOMEBODY, {header: "/x"}).text == "ok\n"


@behind_nginx
@pytest.mark.parametrize("path", ["/games/new/?next=", "/accounts/login/?next=/", "/players/", "/replay/"])
@pytest.mark.parametrize("more", ["x" * 3500, "%25" * 1100, "/" * 3000, "%c3%a9" * 550])
def test_address_that_fits_into_no_header_leads_to_the_start_page(site: Instance, path: str, more: str) -> None:
    for headers in (BY_HTTPS, {}):
        answer = ask(site, f"{path}{more}", BALANCER, headers)
        assert answer.status in (200, 301, 302, 303, 404), (answer.status, answer.text)
    assert answer.headers["Location"] == "/", "to HTTPS, with the same address"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.66, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.66, 127.0.0.2", "127.0.0.2"),  # a client in the balancer's own network
        ("2001:db8::7", "2001:db8::/64"),  # a client chooses the other half
    ],
)
@behind_nginx
@pytest.mark.usefixtures("games_table")
def test_failed_login_counts_for_address_the_balancer_saw(site: Instance, forwarded: str, client: str) -> None:
    store.claim("alice", PASSWORD, address="192.0.2.1")
    assert log_in(site, BY_HTTPS | {"X-Forwarded-For": forwarded}).status == 403
    assert counted() == {client}


def log_in(site: Instance, headers: dict[str, str]) -> Answer:
    """Log in with a wrong password."""
    form = {"username": "alice", "password": "wrong"}
    return send(site, "/accounts/login/", {"Origin": f"https://{SITE}"} | headers, form)


def send(site: Instance, path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
    """Send the form with the CSRF token of a page loaded first."""
    cookie = ask(site, "/accounts/login/", BALANCER, BY_HTTPS).headers["Set-Cookie"]
    assert "Secure" in cookie
    token = re.match("[\\w-]+-csrf=([^;]+)", cookie)
    assert token
    form = form | {"csrfmiddlewaretoken": token[1]}
    return ask(site, path, BALANCER, BY_HTTPS | headers | {"Cookie": token[0]}, form=form)


@behind_nginx
def test_csrf_accepts_own_https_origins_only_and_cookies_are_secure(site: Instance) -> None:
    for origin in (f"https://{SITE}", "https://example.org", "https://www.example.org"):
        answer = send(site, "/accounts/guest/", {"Origin": origin}, {})
        assert answer.status == 303
        cookies = answer.headers.get_all("Set-Cookie")
        assert cookies
        assert [("-csrf=" not in cookie, "; Secure" in cookie) for cookie in sorted(cookies)] == [
            (False, True),
            (True, True),
        ]
    for origin in (f"http://{SITE}", "https://evil.example", "https://example.com"):
        assert send(site, "/accounts/guest/", {"Origin": origin}, {}).status == 403


def counted() -> set[str]:
    """Return the addresses that failed logins are counted for."""
    keys = [item.game_id.split("#") for item in Item.scan() if item.game_id.startswith("throttle#login#address#")]
    return {key[3] for key in keys}


@pytest.mark.parametrize(
    ("source", "first", "second"),
    [(BALANCER, "192.0.2.66, 192.0.2.7", "192.0.2.7"), (SOMEBODY, "192.0.2.66", "192.0.2.67")],
)
@behind_nginx
@pytest.mark.usefixtures("games_table")
def test_stream_counts_for_address_nginx_or_balancer_saw(site: Instance, source: str, first: str, second: str) -> None:
    [game_id] = put([game_of(Status.IN_PROGRESS, 1, "alice", "bob")])
    path = f"/games/{game_id}/events/"
    with closing(connected(site, source)) as connection:
        connection.request("GET", path, headers={"Host": SITE, "X-Forwarded-For": first} | BY_HTTPS)
        assert connection.getresponse().status == 200
        refused = ask(site, path, source, {"X-Forwarded-For": second} | BY_HTTPS)
        assert (refused.status, "Your address has all" in refused.text) == (503, True)


@behind_nginx
def test_only_health_checks_are_served_by_ip_over_http(site: Instance) -> None:
    checker = {"Host": "10.0.0.5", "User-Agent": "ELB-HealthChecker/2.0"}
    for source in (BALANCER, SOMEBODY):
        assert ask(site, "/healthz/", source, checker).text == "ok\n"
        assert ask(site, "/readyz/", source, checker).status == 200
        for path in ("/", "/games/new/", "/static/games/site.css"):
            assert ask(site, path, source, checker).status == 400, path
