"""The page about one's account: password, sessions, blocked players, export, and the end of the account."""

import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.test import Client

from accounts import generations, store
from accounts.models import Player
from games.models import Game
from games.storage import limits
from games.storage import store as games_store
from tests.conftest import PASSWORD, Cast, stored
from tests.support.consumed import Meter
from tests.support.pages import JSON

NEW = "another good one"
COOKIE = settings.SESSION_COOKIE_NAME


def copied(browser: Client) -> Client:
    """Return another browser with the same cookies."""
    other = Client()
    other.cookies.load({name: morsel.value for name, morsel in browser.cookies.items()})
    return other


def who(browser: Client) -> str | None:
    name: str | None = browser.get("/", headers=JSON).json()["player"]
    return name


def begun(host: str, opponent: str) -> str:
    game = games_store.accept(games_store.invite(host=host, opponent=opponent).game_id, player=opponent)
    return game.game_id


def test_page_shows_what_is_stored(alice: Client) -> None:
    page = alice.get("/accounts/account/").content.decode()
    assert datetime.now(UTC).date().isoformat()[:8] in page
    assert 'href="/accounts/export/"' in page
    assert 'href="/accounts/account/"' in alice.get("/players/alice/").content.decode()


def test_visitors_and_guests_are_led_to_the_login(games_table: str) -> None:
    visitor, guest = Client(), Client()
    guest.post("/accounts/guest/")
    for browser in (visitor, guest):
        assert browser.get("/accounts/account/")["Location"] == "/accounts/login/?next=%2Faccounts%2Faccount%2F"
        assert browser.post("/accounts/delete/", {"password": PASSWORD}).status_code == 403


def test_new_password_ends_all_other_sessions(alice: Client) -> None:
    other = copied(alice)
    assert alice.post("/accounts/password/", {"password": PASSWORD, "new": NEW})["Location"] == "/accounts/account/"
    assert (who(alice), who(other)) == ("alice", None)
    log_in = {"username": "alice", "password": PASSWORD}
    assert Client().post("/accounts/login/", log_in).status_code == 403
    assert Client().post("/accounts/login/", log_in | {"password": NEW}).status_code == 303


@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        ({"password": "wrong one", "new": NEW}, 403, "Wrong password"),
        ({"password": PASSWORD, "new": "short"}, 400, "too short"),
        ({"password": PASSWORD, "new": "alice-alice"}, 400, "easy to guess"),
        ({"password": PASSWORD, "new": ""}, 400, "Type the new password"),
        ({"new": NEW}, 400, "Type a password"),
    ],
)
def test_refused_password_changes_nothing(alice: Client, form: dict[str, str], status: int, sentence: str) -> None:
    before = Player.get("player#alice").attribute_values
    answer = alice.post("/accounts/password/", form)
    assert (answer.status_code, sentence in answer.content.decode()) == (status, True)
    assert answer.content.decode().count('role="alert">') == 2  # the message's place, and this form's alert
    assert sentence in alice.post("/accounts/password/", form, headers=JSON).json()["error"]
    assert Player.get("player#alice").attribute_values == before
    assert who(alice) == "alice"


def test_logging_out_everywhere_ends_copied_cookies(alice: Client) -> None:
    other, left = copied(alice), copied(alice)
    left.post("/accounts/logout/")
    assert who(other) == "alice"  # a copy outlives a plain log-out, as the page says
    alice.post("/accounts/everywhere/")
    assert (who(alice), who(other)) == (None, None)
    assert Client().post("/accounts/login/", {"username": "alice", "password": PASSWORD}).status_code == 303


def test_other_process_notices_ended_session_within_five_minutes(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = copied(alice)
    known = generations.of("alice")
    assert known
    alice.post("/accounts/everywhere/")
    generations._known["alice"] = known  # another process still has this
    assert who(other) == "alice"
    late = known.read_at + generations.CHECK_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: late)
    assert who(other) is None


def test_session_newer_than_the_cached_generation_is_good(alice: Client) -> None:
    known = generations.of("alice")
    assert known
    alice.post("/accounts/password/", {"password": PASSWORD, "new": NEW})
    generations._known["alice"] = known
    assert who(alice) == "alice"


def test_check_costs_one_read_in_five_minutes_and_a_move_doesnt_wait(alice: Client, meter: Meter) -> None:
    path = f"/games/{begun('bob', 'alice')}/"
    generations._known.clear()
    meter.calls.clear()
    alice.get("/replay/03142/")
    assert meter.operations == ["GetItem"]
    alice.get("/replay/03142/")
    assert meter.operations == ["GetItem"]
    generations._known.clear()
    assert alice.post(f"{path}move/", {"square": "TopLeft"}).status_code == 303
    assert meter.operations.count("UpdateItem") == 1


@pytest.mark.parametrize("new", [False, True], ids=["old item", "new item"])
def test_session_from_before_generations_fits_only_an_old_item(games_table: str, new: bool) -> None:
    generation = "abc" if new else None
    Player("player#alice", password="x", joined="2025-01-01", generation=generation).save()
    session = SessionStore()
    session["player"] = "alice"
    session.save()
    browser = Client()
    browser.cookies[COOKIE] = str(session.session_key)
    assert who(browser) == (None if new else "alice")


def test_session_is_not_the_next_players_of_the_name(alice: Client, log_in: Cast) -> None:
    Player("player#alice").delete()
    generations._known.clear()
    assert who(alice) is None
    log_in("alice")
    assert who(alice) is None


def test_cookie_of_another_site_is_left_alone(alice: Client) -> None:
    alice.cookies["session"] = "eyJmb3JlaWduIjoxfQ.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbb"
    alice.cookies["csrftoken"] = "x" * 32
    answer = alice.get("/")
    assert (who(alice), "session" in answer.cookies, "csrftoken" in answer.cookies) == ("alice", False, False)
    visitor = Client()
    visitor.cookies["session"] = alice.cookies["session"].value
    assert (who(visitor), "session" in visitor.get("/").cookies) == (None, False)


@pytest.mark.parametrize("name", settings.OLD_SESSION_COOKIES)
def test_session_under_an_old_name_is_taken_over(alice: Client, name: str) -> None:
    old = Client()
    old.cookies[name] = alice.cookies[COOKIE].value
    answer = old.get("/", headers=JSON)
    assert answer.json()["player"] == "alice"
    assert (answer.cookies[name].value, bool(answer.cookies[COOKIE].value)) == ("", True)
    assert who(old) == "alice"
    old.post("/accounts/logout/")
    assert who(old) is None


def test_names_session_is_renewed_for_those_who_play(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC).timestamp()
    for days in (7, 50, 100):
        monkeypatch.setattr("time.time", lambda days=days: now + days * 86_400)
        assert alice.post("/games/new/", {"opponent": "computer"}).status_code == 303
    assert who(alice) == "alice"


def test_known_browser_is_not_kept_out_by_others(alice: Client) -> None:
    wrong = {"username": "alice", "password": "not this one"}
    statuses = [Client().post("/accounts/login/", wrong).status_code for _ in range(store.NAME_LIMIT + 1)]
    assert statuses[-2:] == [403, 429]
    right = {"username": "alice", "password": PASSWORD}
    assert Client().post("/accounts/login/", right).status_code == 429
    alice.post("/accounts/logout/")
    assert alice.post("/accounts/login/", right).status_code == 303
    alice.post("/accounts/logout/")
    own = [alice.post("/accounts/login/", wrong).status_code for _ in range(store.BROWSER_LIMIT + 1)]
    assert own == [403] * store.BROWSER_LIMIT + [429]


def test_browser_is_known_for_its_own_players_only(alice: Client, log_in: Cast) -> None:
    log_in("bob")
    for _ in range(store.NAME_LIMIT):
        Client().post("/accounts/login/", {"username": "bob", "password": "not this one"})
    alice.post("/accounts/logout/")
    assert alice.post("/accounts/login/", {"username": "bob", "password": PASSWORD}).status_code == 429


def test_signups_are_counted_by_address(games_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SIGNUP_LIMIT", 2)
    answers = [
        Client().post("/accounts/signup/", {"username": f"zoe-{number}", "password": PASSWORD}) for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 900
    assert not store.is_claimed("zoe-2")


@pytest.mark.parametrize("undo", [False, True])
def test_blocked_players_invitations_are_hidden(alice: Client, bob: Client, undo: bool) -> None:
    bob.post("/games/new/", {"opponent": "alice"})
    games_store.invite(host="charlie", opponent="alice")
    assert alice.post("/accounts/block/", {"player": "Bob"})["Location"] == "/accounts/account/"
    assert "Unblock bob" in alice.get("/accounts/account/").content.decode()
    if undo:
        alice.post("/accounts/block/", {"player": "bob", "undo": ""})
    hosts = {game["host"] for game in alice.get("/", headers=JSON).json()["invitations"]}
    assert hosts == ({"bob", "charlie"} if undo else {"charlie"})
    assert len(bob.get("/", headers=JSON).json()["waiting"]) == 1


def test_blocking_no_name_is_400(alice: Client) -> None:
    answer = alice.post("/accounts/block/", {"player": "no name"})
    assert (answer.status_code, "3 to 20" in answer.content.decode()) == (400, True)


def test_full_inbox_lets_friends_through(alice: Client, bob: Client) -> None:
    begun("alice", "bob")
    for number in range(limits.MOST):
        games_store.invite(host=f"stranger{number}", opponent="alice")
    assert len(alice.get("/", headers=JSON).json()["invitations"]) == limits.MOST  # the process counts them
    assert bob.post("/games/new/", {"opponent": "alice"}).status_code == 303
    charlie = Client()
    charlie.post("/accounts/signup/", {"username": "charlie", "password": PASSWORD})
    assert charlie.post("/games/new/", {"opponent": "alice"}, headers=JSON).status_code == 409


def test_export_holds_account_and_all_games(alice: Client) -> None:
    games = {begun("alice", "bob"), begun("bob", "alice"), games_store.challenge_computer(host="alice").game_id}
    answer = alice.get("/accounts/export/")
    assert answer["Content-Disposition"] == 'attachment; filename="alice.json"'
    found = json.loads(answer.getvalue())
    assert (found["player"], found["blocked"]) == ("alice", [])
    assert {game["gameId"] for game in found["games"]} == games
    assert all(len(game["board"]) == 9 and game["since"] and game["moved"] for game in found["games"])
    assert "argon2" not in answer.getvalue().decode()


def test_deleted_account_loses_sessions_and_name(alice: Client, bob: Client) -> None:
    other = copied(alice)
    running, invitation = begun("alice", "bob"), games_store.invite(host="alice", opponent="bob").game_id
    over = games_store.resign(stored(begun("bob", "alice")).match(), player="bob").game_id
    assert bob.get("/players/bob/", headers=JSON).json()["against"]["alice"]["lost"] == 1
    assert alice.post("/accounts/delete/", {"password": "not this one"}).status_code == 403
    assert who(alice) == "alice"
    assert alice.post("/accounts/delete/", {"password": PASSWORD})["Location"] == "/"
    assert (who(alice), who(other)) == (None, None)
    [heir] = {name for name in stored(running).match().players if name != "bob"}
    assert heir
    assert re.fullmatch(r"deleted-\w{8}", heir)
    assert (stored(running).result, stored(running).ending) == ("bob", "resigned")
    assert (stored(over).opponent_id, stored(over).result, stored(over).host_id) == (heir, heir, "bob")
    assert Game.count(invitation) == 0
    record = bob.get("/players/bob/", headers=JSON).json()
    assert record["against"] == {heir: {"won": 1, "lost": 1, "tied": 0}}
    assert "alice" not in bob.get("/").content.decode()
    assert Client().get("/players/alice/").status_code == 404


def test_deleted_name_is_free_after_sixty_days(alice: Client) -> None:
    alice.post("/accounts/delete/", {"password": PASSWORD})
    form = {"username": "alice", "password": PASSWORD}
    assert Client().post("/accounts/signup/", form).status_code == 409
    assert Client().post("/accounts/login/", form).status_code == 403
    tombstone = Player.get("player#alice")
    left = datetime.fromtimestamp(tombstone.expires_at, UTC) - datetime.now(UTC)
    assert timedelta(days=59) < left <= store.RESERVED_FOR
    assert (tombstone.password, tombstone.joined) == (None, None)
    tombstone.update([Player.expires_at.set(1)])  # TTL is late
    assert Client().post("/accounts/signup/", form).status_code == 303
    assert Player.get("player#alice").becomes is None


def test_well_known_address_leads_to_the_form(alice: Client) -> None:
    answer = alice.get("/.well-known/change-password")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/account/#password")
    assert 'id="password"' in alice.get("/accounts/account/").content.decode()


def test_privacy_page_is_there_for_everybody(alice: Client) -> None:
    for browser in (alice, Client()):
        answer = browser.get("/privacy/")
        assert (answer.status_code, "60 days" in answer.content.decode()) == (200, True)
    assert 'href="/privacy/"' in Client().get("/accounts/signup/").content.decode()


@pytest.mark.parametrize("name", ["you", "open", "new", "help", "security", "staff", "official", "webmaster", "admin1"])
def test_misleading_name_is_refused_to_new_players_only(games_table: str, name: str) -> None:
    form = {"username": name, "password": PASSWORD}
    answer = Client().post("/accounts/signup/", form)
    assert (answer.status_code, "reserved" in answer.content.decode()) == (400, True)
    store.claim(name, PASSWORD, address="192.0.2.1")  # from before
    browser = Client()
    assert browser.post("/accounts/login/", form).status_code == 303
    assert Client().get(f"/players/{name}/").status_code == 200


@pytest.mark.parametrize(
    "password", [" " * 8, "tictactoe", "Tic-Tac-Toe!", "tic tac toe", "dora-dora", "Dora1234", "aaaabbbb", "abababab"]
)
def test_guessable_password_is_refused(games_table: str, password: str) -> None:
    answer = Client().post("/accounts/signup/", {"username": "dora", "password": password})
    assert answer.status_code == 400
    assert not store.is_claimed("dora")


def test_invitation_to_impossible_guest_is_refused(alice: Client) -> None:
    answer = alice.post("/games/new/", {"opponent": "guest-nobody"}, headers=JSON)
    assert (answer.status_code, "No guest is called" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("password", ["bob-smith", "bob_smith1", "BobSmith2026"])
def test_name_with_a_hyphen_is_no_password_either(games_table: str, password: str) -> None:
    assert Client().post("/accounts/signup/", {"username": "bob-smith", "password": password}).status_code == 400
    assert not store.is_claimed("bob-smith")
