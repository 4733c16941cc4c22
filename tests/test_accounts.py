"""Names, passwords, guests and sessions."""

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from accounts import store
from accounts.models import Player
from accounts.views import address_of
from tests.conftest import PASSWORD, Cast
from tests.support.pages import JSON


@pytest.fixture
def visitor(games_table: str) -> Client:
    return Client()


def log_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    answer = client.post("/accounts/login/", {"username": name, "password": password, **more})
    return answer.status_code, answer.content.decode()


def test_player_can_log_in_from_another_browser(alice: Client, visitor: Client) -> None:
    assert "alice" in alice.get("/").content.decode()
    assert log_in(visitor, "Alice ")[0] == 303
    assert "alice" in visitor.get("/").content.decode()


def test_password_is_stored_as_argon2_hash_with_owasps_parameters(
    games_table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # Tests hash with fewer passes and less memory.
    store.claim("alice", PASSWORD, address="192.0.2.1")
    assert Player.get("player#alice").password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_wrong_password_is_403_and_unclaimed_name_offers_signup(alice: Client, visitor: Client) -> None:
    status, page = log_in(visitor, "alice", "wrong password")
    assert (status, "Wrong password" in page) == (403, True)
    status, page = log_in(visitor, "dora")
    assert (status, "Create account" in page) == (403, True)
    assert 'value="dora"' in page
    assert PASSWORD not in page


def test_signup_with_taken_name_is_409(alice: Client, visitor: Client) -> None:
    answer = visitor.post("/accounts/signup/", {"username": "ALICE", "password": "another good one"})
    assert (answer.status_code, "taken" in answer.content.decode()) == (409, True)
    assert log_in(visitor, "alice")[0] == 303


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Type your name"),
        ("ab", "3 to 20"),
        ("a" * 21, "3 to 20"),
        ("_alice", "3 to 20"),
        ("al ice", "3 to 20"),
        ("ali\x00ce", "Null characters"),
        ("álice", "3 to 20"),
        ("computer", "reserved"),
        ("guest-abc123", "reserved"),
        ("Admin", "reserved"),
    ],
)
def test_invalid_or_reserved_name_is_400(visitor: Client, name: str, sentence: str) -> None:
    answer = visitor.post("/accounts/signup/", {"username": name, "password": PASSWORD})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert (
        sentence
        in visitor.post("/accounts/signup/", {"username": name, "password": PASSWORD}, headers=JSON).json()["error"]
    )


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "Type a password"),
        ("short", "too short"),
        ("password123", "too common"),
        ("8675309867", "numeric"),
        ("x" * 1001, "at most 1000"),
    ],
)
def test_weak_or_oversized_password_is_400(visitor: Client, password: str, sentence: str) -> None:
    answer = visitor.post("/accounts/signup/", {"username": "dora", "password": password})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not store.is_claimed("dora")


def test_spaces_in_password_are_significant(visitor: Client) -> None:
    visitor.post("/accounts/signup/", {"username": "dora", "password": f" {PASSWORD} "})
    assert log_in(Client(), "dora")[0] == 403
    assert log_in(Client(), "dora", f" {PASSWORD} ")[0] == 303


def test_guest_has_name_but_no_item(visitor: Client) -> None:
    name = visitor.post("/accounts/guest/", headers=JSON).json()["player"]
    assert name.startswith("guest-")
    assert visitor.post("/accounts/guest/")["Location"] == "/"
    assert name in visitor.get("/").content.decode()
    assert not store.is_claimed(name)


def test_logout_ends_session(alice: Client) -> None:
    assert alice.get("/accounts/logout/")["Location"] == "/"
    assert alice.post("/accounts/logout/")["Location"] == "/"
    assert "Press a square to begin" in alice.get("/").content.decode()


def test_forged_session_is_anonymous(alice: Client) -> None:
    value = alice.cookies[settings.SESSION_COOKIE_NAME].value
    for forged in (value[:-1], value.replace("e", "f"), "x", ""):
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = forged
        assert "Press a square to begin" in client.get("/").content.decode()


def test_login_redirects_only_within_this_site(alice: Client) -> None:
    for target, location in (
        ("/games/new/", "/games/new/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("foo", "/"),  # relative: would resolve below /accounts/login/
        ("?next=foo", "/"),
        (" /games/new/", "/"),
        ("", "/"),
    ):
        answer = Client().post("/accounts/login/", {"username": "alice", "password": PASSWORD, "next": target})
        assert answer["Location"] == location


def test_login_and_signup_redirect_logged_in_player(alice: Client) -> None:
    assert alice.get("/accounts/login/?next=/games/new/")["Location"] == "/games/new/"
    assert alice.get("/accounts/signup/")["Location"] == "/"


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "NAME_LIMIT", 3)
    monkeypatch.setattr(store, "ADDRESS_LIMIT", 5)


@pytest.mark.usefixtures("limits")
def test_failed_logins_are_limited_per_name(alice: Client) -> None:
    for number in range(3):
        assert (
            Client(REMOTE_ADDR=f"10.0.0.{number}")
            .post("/accounts/login/", {"username": "alice", "password": "no"})
            .status_code
            == 403
        )
    answer = Client(REMOTE_ADDR="10.0.0.9").post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    assert "15 minutes" in answer.content.decode()


@pytest.mark.usefixtures("limits")
def test_failed_logins_are_limited_per_address(cast: Cast) -> None:
    for name in ("alice", "bob"):
        cast(name)
    for number in range(5):
        assert log_in(Client(), ("alice", "bob")[number % 2], "no")[0] == 403
    assert log_in(Client(), "bob")[0] == 429


@pytest.fixture
def cast(games_table: str) -> Cast:
    def claim(name: str) -> Client:
        store.claim(name, PASSWORD, address="192.0.2.1")
        return Client()

    return claim


@pytest.mark.usefixtures("limits")
def test_blocked_address_does_not_lock_names(cast: Cast) -> None:
    for name in ("alice", "bob"):
        cast(name)
    attacker = Client(REMOTE_ADDR="10.0.0.1")
    statuses = [
        attacker.post("/accounts/login/", {"username": name, "password": "no"}).status_code
        for name in ("alice", "alice", "alice", "bob", "bob", "bob", "bob", "bob")
    ]
    assert statuses == [403] * 5 + [429] * 3
    assert log_in(Client(), "bob")[0] == 303


@pytest.mark.usefixtures("games_table")
def test_only_local_proxys_forwarded_address_is_trusted() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": "6.6.6.6, 10.0.0.7"})
    assert address_of(request) == "10.0.0.7"
    forged = RequestFactory().get("/", REMOTE_ADDR="10.0.0.8", headers={"x-forwarded-for": "6.6.6.6"})
    assert address_of(forged) == "10.0.0.8"
    assert address_of(RequestFactory().get("/")) == "127.0.0.1"
    # The address becomes a partition key.
    for no_address in ("unknown", f"fe80::1%{'x' * 8000}", "6.6.6.6\n"):
        forged = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": no_address})
        assert len(address_of(forged)) <= 39


@pytest.mark.parametrize(
    ("address", "limited"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("0000:0000:0000:0000:0000:ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7", "198.51.100.7"),
    ],
)
def test_ipv6_counts_by_network_and_mapped_ipv4_as_ipv4(address: str, limited: str) -> None:
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=address)) == limited
    for local in ("::1", "127.0.0.1", "::ffff:127.0.0.1"):
        behind = RequestFactory().get("/", REMOTE_ADDR=local, headers={"x-forwarded-for": address})
        assert address_of(behind) == limited
    assert address_of(RequestFactory().get("/", REMOTE_ADDR="::1")) == "::1"


@pytest.mark.usefixtures("limits")
def test_successful_logins_never_count_towards_limit(alice: Client) -> None:
    for _ in range(7):
        assert log_in(Client(), "alice")[0] == 303
