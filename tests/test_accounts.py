"""Names, passwords, guests and sessions."""

import pytest
from django.test import Client, RequestFactory

from accounts import store
from accounts.models import Player
from accounts.views import address_of
from tests.conftest import PASSWORD, Cast

JSON = {"accept": "application/json"}


@pytest.fixture
def visitor(games_table: str) -> Client:
    return Client()


def log_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    answer = client.post("/accounts/login/", {"username": name, "password": password, **more})
    return answer.status_code, answer.content.decode()


def test_a_claimed_name_can_be_logged_in_to_from_another_browser(alice: Client, visitor: Client) -> None:
    assert "alice" in alice.get("/").content.decode()
    assert log_in(visitor, "Alice ")[0] == 303
    assert "alice" in visitor.get("/").content.decode()


def test_the_password_is_stored_as_an_argon2_hash(alice: Client) -> None:
    assert Player.get("player#alice").password.startswith("argon2$argon2id$")


def test_a_wrong_password_is_403_and_an_unclaimed_name_says_how_to_claim_it(alice: Client, visitor: Client) -> None:
    status, page = log_in(visitor, "alice", "wrong password")
    assert (status, "not the password" in page) == (403, True)
    status, page = log_in(visitor, "dora")
    assert (status, "Claim this name" in page) == (403, True)
    assert 'value="dora"' in page
    assert PASSWORD not in page


def test_a_taken_name_is_409_and_stays_its_owners(alice: Client, visitor: Client) -> None:
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
def test_names_that_cannot_be_claimed(visitor: Client, name: str, sentence: str) -> None:
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
def test_passwords_that_are_easy_to_guess(visitor: Client, password: str, sentence: str) -> None:
    answer = visitor.post("/accounts/signup/", {"username": "dora", "password": password})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not store.is_claimed("dora")


def test_spaces_in_a_password_count(visitor: Client) -> None:
    visitor.post("/accounts/signup/", {"username": "dora", "password": f" {PASSWORD} "})
    assert log_in(Client(), "dora")[0] == 403
    assert log_in(Client(), "dora", f" {PASSWORD} ")[0] == 303


def test_a_guest_has_a_name_and_nothing_in_the_table(visitor: Client) -> None:
    name = visitor.post("/accounts/guest/", headers=JSON).json()["player"]
    assert name.startswith("guest-")
    assert visitor.post("/accounts/guest/")["Location"] == "/"
    assert name in visitor.get("/").content.decode()
    assert not store.is_claimed(name)


def test_logging_out_ends_the_session(alice: Client) -> None:
    assert alice.get("/accounts/logout/").status_code == 405
    assert alice.post("/accounts/logout/")["Location"] == "/"
    assert "Press a square to begin" in alice.get("/").content.decode()


def test_a_forged_session_is_nobodys(alice: Client) -> None:
    value = alice.cookies["session"].value
    for forged in (value[:-1], value.replace("e", "f"), "x", ""):
        client = Client()
        client.cookies["session"] = forged
        assert "Press a square to begin" in client.get("/").content.decode()


def test_logging_in_returns_to_where_the_player_was_going_within_this_site(alice: Client) -> None:
    for target, location in (
        ("/games/new/", "/games/new/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("foo", "/"),  # which would be below /accounts/login/
        ("?next=foo", "/"),
        (" /games/new/", "/"),
        ("", "/"),
    ):
        answer = Client().post("/accounts/login/", {"username": "alice", "password": PASSWORD, "next": target})
        assert answer["Location"] == location


def test_a_logged_in_player_needs_no_login_page(alice: Client) -> None:
    assert alice.get("/accounts/login/?next=/games/new/")["Location"] == "/games/new/"
    assert alice.get("/accounts/signup/")["Location"] == "/"


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "NAME_LIMIT", 3)
    monkeypatch.setattr(store, "ADDRESS_LIMIT", 5)


@pytest.mark.usefixtures("limits")
def test_guessing_is_slowed_down_for_a_name_wherever_it_comes_from(alice: Client) -> None:
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
    assert "quarter of an hour" in answer.content.decode()


@pytest.mark.usefixtures("limits")
def test_guessing_is_slowed_down_for_an_address_whatever_the_name(cast: Cast) -> None:
    for name in ("alice", "bob"):
        cast(name)
    for number in range(5):
        assert log_in(Client(), ("alice", "bob")[number % 2], "no")[0] == 403
    assert log_in(Client(), "bob")[0] == 429


@pytest.fixture
def cast(games_table: str) -> Cast:
    def claim(name: str) -> Client:
        store.claim(name, PASSWORD)
        return Client()

    return claim


@pytest.mark.usefixtures("limits")
def test_a_blocked_address_locks_no_name(cast: Cast) -> None:
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
def test_the_proxy_on_the_same_machine_is_nobodys_address() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": "6.6.6.6, 10.0.0.7"})
    assert address_of(request) == "10.0.0.7"
    forged = RequestFactory().get("/", REMOTE_ADDR="10.0.0.8", headers={"x-forwarded-for": "6.6.6.6"})
    assert address_of(forged) == "10.0.0.8"
    assert address_of(RequestFactory().get("/")) == "127.0.0.1"
    # It becomes a key in the table.
    for no_address in ("unknown", f"fe80::1%{'x' * 8000}", "6.6.6.6\n"):
        forged = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": no_address})
        assert len(address_of(forged)) <= 39


@pytest.mark.usefixtures("limits")
def test_right_passwords_never_count(alice: Client) -> None:
    for _ in range(7):
        assert log_in(Client(), "alice")[0] == 303
