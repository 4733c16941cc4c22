"""Attacks on accounts: forged signatures, ended sessions, guessing, and races with the end of an account."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.management import CommandError
from django.core.signing import get_cookie_signer
from django.test import Client, RequestFactory

from accounts import browsers, generations, hashers, names, store
from accounts.models import Player
from accounts.views import address_of
from dynamodb import conditional
from dynamodb.client import shared_client
from games.live.viewers import viewer_of
from games.match import Status
from games.models import Game
from games.signing import signed
from games.storage import renaming
from games.storage import store as games_store
from tests.conftest import PASSWORD, Cast, stored
from tests.support.many import game_of, put
from tests.support.pages import new_game_in, position_in
from tests.support.stages import game_after
from tests.test_account import begun, copied, who
from tests.test_renaming import run
from tictactoe_site.table import Item

COOKIE = settings.SESSION_COOKIE_NAME
WRONG = "not this one"
FORGERIES = 100
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:.="

Forge = Callable[[str], Any]


def forged(text: str, chance: random.Random) -> str:
    """Return the signed text with a character changed, left out or put in, cut off, or with two parts swapped."""
    at, other = sorted(chance.sample(range(len(text)), 2))
    letter = chance.choice([each for each in ALPHABET if each != text[at]])
    changed = chance.choice([letter + text[at + 1 :], text[at + 1 :], letter + text[at:], "", text[other:] + text[at:]])
    return text[:at] + changed


def as_session(alice: Client, url: str) -> tuple[str, Forge]:
    def is_refused(cookie: str) -> bool:
        thief = Client()
        thief.cookies[COOKIE] = cookie
        return who(thief) is None

    return alice.cookies[COOKIE].value, is_refused


def as_browser(alice: Client, url: str) -> tuple[str, Forge]:
    def is_refused(cookie: str) -> bool:
        request = RequestFactory().get("/")
        request.COOKIES[browsers.COOKIE] = cookie
        return browsers.id_of(request, "alice") == ""

    return alice.cookies[browsers.COOKIE].value, is_refused


def as_position(alice: Client, url: str) -> tuple[str, Forge]:
    def is_refused(position: str) -> bool:
        return alice.post(f"{url}move/", {"square": "TopLeft", "position": position}).status_code == 400

    return position_in(alice.get(url)), is_refused


def as_new_game(alice: Client, url: str) -> tuple[str, Forge]:
    def is_refused(game: str) -> bool:
        return alice.post("/games/new/", {"opponent": "bob", "game": game}).status_code == 400

    return new_game_in(alice.get("/games/new/")), is_refused


@pytest.mark.parametrize("kind", [as_session, as_browser, as_position, as_new_game])
def test_forged_signature_is_never_accepted(
    alice: Client, kind: Callable[[Client, str], tuple[str, Forge]], report: Callable[[str], None]
) -> None:
    seed = random.randrange(10**6)
    url = f"/games/{begun('bob', 'alice')}/"
    genuine, is_refused = kind(alice, url)
    before = everything()
    chance = random.Random(seed)
    texts = [forged(genuine, chance) for _ in range(FORGERIES)]
    texts += [alice.cookies[COOKIE].value] * (kind is not as_session) + ["x" * 9000, "é", ":", "::::"]
    assert [text for text in texts if text not in ("", genuine) and not is_refused(text)] == [], f"seed {seed}"
    assert everything() == before
    assert not is_refused(genuine), "The test can't tell a forged one from a genuine one."


def everything() -> list[dict[str, Any]]:
    return sorted((item.attribute_values for item in Item.scan()), key=lambda values: str(values["game_id"]))


# Sessions.


def test_ended_session_acts_no_more_where_nobody_knows_the_player(alice: Client) -> None:
    game_id, thief = begun("bob", "alice"), copied(alice)
    alice.post("/accounts/everywhere/")
    for path in (f"/games/{game_id}/resign/", "/games/new/", "/accounts/everywhere/", "/accounts/block/"):
        generations._known.clear()  # another process, or after a restart
        assert thief.post(path, {"player": "bob"}).status_code == 403, path
    assert stored(game_id).match().status is Status.IN_PROGRESS


def test_session_that_seems_to_have_ended_is_checked_by_a_consistent_read(alice: Client, monkeypatch: Any) -> None:
    known = generations.of("alice")
    assert known
    generations._known["alice"] = known._replace(is_there=False)
    reads: list[bool] = []
    events = shared_client().meta.events

    def note(params: dict[str, Any], **_: Any) -> None:
        reads.append(params["ConsistentRead"])

    events.register("provide-client-params.dynamodb.GetItem", note)
    try:
        assert who(alice) == "alice"
    finally:
        events.unregister("provide-client-params.dynamodb.GetItem", note)
    assert reads == [True]


def test_stream_of_an_ended_session_is_a_visitors(alice: Client) -> None:
    cookie = f"{COOKIE}={alice.cookies[COOKIE].value}"
    headers = [(b"host", b"testserver"), (b"cookie", cookie.encode())]
    scope = {"type": "http", "method": "GET", "path": "/events/", "query_string": b"", "headers": headers}
    scope["client"] = ("127.0.0.1", 1)
    assert viewer_of(scope).name == "alice"
    store.end_sessions("alice")
    assert viewer_of(scope).name == ""


def test_login_leaves_nothing_of_the_visitors_session(games_table: str) -> None:
    store.claim("alice", PASSWORD, address="192.0.2.1")
    visitor = Client()
    visitor.get("/")
    planted = copied(visitor)
    visitor.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    assert set(visitor.session.keys()) == {"player", "since", "generation"}
    assert (who(planted), who(visitor)) == (None, "alice")


# Guessing.


def test_unknown_name_takes_as_long_and_counts_as_much_as_a_wrong_password(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []
    run_it = hashers.Hasher._run

    def counted(self: hashers.Hasher, work: Callable[[], Any]) -> Any:
        hashes.append(name)
        return run_it(self, work)

    monkeypatch.setattr(hashers.Hasher, "_run", counted)
    for name in ("alice", "zoe"):
        form = {"username": name, "password": WRONG}
        statuses = [Client().post("/accounts/login/", form).status_code for _ in range(store.NAME_LIMIT + 1)]
        assert statuses == [403] * store.NAME_LIMIT + [429]
        assert hashes.count(name) == store.NAME_LIMIT


@pytest.mark.parametrize("path", ["/accounts/password/", "/accounts/delete/"])
def test_others_cannot_keep_a_session_from_its_account(alice: Client, path: str) -> None:
    for _ in range(store.NAME_LIMIT):
        Client().post("/accounts/login/", {"username": "alice", "password": WRONG})
    del alice.cookies[browsers.COOKIE]
    answer = alice.post(path, {"password": PASSWORD, "new": "another good one"})
    assert answer.status_code == 303


def test_limits_say_when_to_try_again(alice: Client) -> None:
    wrong = {"password": WRONG, "new": "another good one"}
    answers = [alice.post("/accounts/password/", wrong) for _ in range(store.BROWSER_LIMIT + 1)]
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1]["Retry-After"]) <= 900
    new = {"username": "zoe", "password": PASSWORD}
    with ExitStack() as busy:
        for pool in (hashers.anybody, hashers.anybody):
            busy.enter_context(pool.reserved())
        answer = Client().post("/accounts/signup/", new)
    assert answer.status_code == 503
    assert 0 < int(answer["Retry-After"]) < 10
    assert Client().post("/accounts/signup/", new).status_code == 303


def test_few_requests_wait_for_a_hash() -> None:
    pool, release, began = hashers.Pool(1, waiting=2, patience=60), Event(), Event()

    def hold() -> bool:
        with pool.reserved():
            began.set()
            return release.wait(60)

    with ThreadPoolExecutor(3) as threads:
        held = [threads.submit(hold) for _ in range(3)]
        assert began.wait(60)
        while pool._admitted._value:
            pass
        with pytest.raises(hashers.Busy), pool.reserved():
            pass
        release.set()
        assert all(each.result(60) for each in held)


def test_browser_is_known_for_a_year_and_after_a_new_key(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def id_of(cookie: str, value: str, name: str = "alice") -> str:
        request = RequestFactory().get("/")
        request.COOKIES[cookie] = value
        return browsers.id_of(request, name)

    value = alice.cookies[browsers.COOKIE].value
    assert id_of(browsers.COOKIE, value)
    assert id_of(browsers.COOKIE, value, "bob") == ""
    [old] = browsers.OLD_COOKIES
    assert id_of(old, get_cookie_signer(salt=old + old).sign("an-id alice bob"), "bob") == "an-id"
    late = datetime.now(UTC).timestamp() + browsers.AGE_SECONDS + 1
    monkeypatch.setattr("time.time", lambda: late)
    assert id_of(browsers.COOKIE, value) == ""


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7"),
    ],
)
def test_addresses_of_one_ipv6_network_count_together(address: str, counted: str) -> None:
    assert address_of(RequestFactory().get("/", headers={"x-forwarded-for": address})) == counted


def test_long_text_is_no_name() -> None:
    with pytest.raises(names.NameNotAllowed):  # To normalise 64,000 combining marks takes 13 s.
        names.normalised("alice" + " " * names.LONGEST)


def test_list_of_blocked_players_is_limited(alice: Client) -> None:
    everybody = {f"player{number}" for number in range(store.MOST_BLOCKED)}
    Player("player#alice").update([Player.blocked.add(everybody)])
    answer = alice.post("/accounts/block/", {"player": "bob"})
    assert (answer.status_code, "unblock one" in answer.content.decode()) == (409, True)
    alice.post("/accounts/block/", {"player": "player7", "undo": ""})
    assert alice.post("/accounts/block/", {"player": "bob"}).status_code == 303
    for _ in range(2):  # A second click is no further player.
        assert alice.post("/accounts/block/", {"player": "bob"}).status_code == 303
    assert Player.get("player#alice").blocked == everybody - {"player7"} | {"bob"}


def test_rematch_of_a_blocked_player_is_not_shown(alice: Client, bob: Client) -> None:
    over = game_after("03142")
    assert bob.post(f"/games/{over.game_id}/rematch/", {"position": signed(over)}).status_code == 303
    offer = "bob asks for a rematch."
    assert offer in alice.get(f"/games/{over.game_id}/").content.decode()
    alice.post("/accounts/block/", {"player": "bob"})
    assert offer not in alice.get(f"/games/{over.game_id}/").content.decode()


# The end of an account, and other names.


def test_invitation_that_is_accepted_while_its_host_leaves_is_resigned(
    alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    game_id = games_store.invite(host="alice", opponent="bob").game_id
    cancel = games_store.cancel

    def late(game_id: str, *, player: str) -> None:
        games_store.accept(game_id, player="bob")
        cancel(game_id, player=player)

    monkeypatch.setattr(games_store, "cancel", late)
    alice.post("/accounts/delete/", {"password": PASSWORD})
    game = stored(game_id).match()
    assert (game.status, game.result, game.host[:8]) == (Status.FINISHED, "bob", "deleted-")


def test_deletion_goes_on_by_itself_until_all_games_are_renamed(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    game_ids = put([game_of(Status.FINISHED, number, "alice", "bob", result="bob") for number in range(3)])
    monkeypatch.setattr(renaming, "SECONDS", 0)
    answer, reloads = alice.post("/accounts/delete/", {"password": PASSWORD}), 0
    while "Refresh" in (answer := alice.get("/")):
        reloads += 1
    assert reloads == len(game_ids) - 1  # one game for each request
    assert {stored(each).host_id[:8] for each in game_ids} == {"deleted-"}
    assert "Refresh" not in answer


def test_old_cookie_of_a_deletion_harms_nobody_who_has_the_name_later(alice: Client) -> None:
    game_id, session = begun("alice", "bob"), SessionStore()
    session["guest"], session["heir"] = "alice", "deleted-abcdefgh"
    session.save()
    thief = Client()
    thief.cookies[COOKIE] = str(session.session_key)
    thief.get("/")
    assert (stored(game_id).host_id, stored(game_id).match().status) == ("alice", Status.IN_PROGRESS)
    assert "guest" not in thief.session


@pytest.mark.parametrize("old", ["alice", "Anna"])
def test_only_one_of_two_players_gets_a_name(alice: Client, old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [game_id] = put([game_of(Status.FINISHED, 0, old, "bob", result="bob")])
    put([game_of(Status.FINISHED, 1, "Bob Smith", "bob", result="bob")])
    move = store.move

    def later(name: str, to: str) -> None:
        monkeypatch.setattr(store, "move", move)
        run("rename_player", "Bob Smith", "dora")
        move(name, to)

    monkeypatch.setattr(store, "move", later)
    with pytest.raises(CommandError, match="dora is taken"):
        run("rename_player", old, "dora")
    assert stored(game_id).host_id == old
    assert Client().post("/accounts/signup/", {"username": "dora", "password": PASSWORD}).status_code == 303


def test_renamed_player_keeps_the_block_list(alice: Client, bob: Client) -> None:
    alice.post("/accounts/block/", {"player": "bob"})
    run("rename_player", "alice", "dora")
    assert Player.get("player#dora").blocked == {"bob"}
    for command in (("rename_player", "alice", "emma"), ("delete_player", "alice")):
        begun("bob", "alice")  # by a session that hadn't ended yet
        with pytest.raises(CommandError, match="alice has become dora"):
            run(*command)


def test_export_is_the_players_own(alice: Client, log_in: Cast) -> None:
    game_id = begun("bob", "charlie")
    found = alice.get("/accounts/export/", {"player": "bob", "name": "bob"}).getvalue().decode()
    assert ("bob" in found, game_id in found) == (False, False)
    assert Game.count(game_id) == 1


@pytest.mark.parametrize("form", ["password", "delete"])
def test_password_that_was_replaced_meanwhile_changes_nothing(
    alice: Client, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has the old password and a session, and their form is under way when the operator sets a new one."""
    verify = store.verify

    def late(*args: Any, **kwargs: Any) -> Any:
        right = verify(*args, **kwargs)
        store.set_password("alice", "what the operator chose")
        return right

    monkeypatch.setattr(store, "verify", late)
    answer = alice.post(f"/accounts/{form}/", {"password": PASSWORD, "new": "what the thief chose"})
    assert (answer.status_code, answer["Location"]) == (303, "/")
    assert "alice" not in alice.get("/").content.decode()
    assert verify("alice", "what the operator chose", address="192.0.2.1")


def test_new_password_whose_reply_was_lost_is_no_failure(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    update = conditional.update

    def twice(item: Any, actions: Any, condition: Any) -> Any:
        update(item, actions, condition)
        return update(item, actions, condition)

    monkeypatch.setattr(conditional, "update", twice)
    store.set_password("alice", "another good one", assuming=store.in_session(store.details("alice").generation))
    monkeypatch.setattr(conditional, "update", update)
    assert store.verify("alice", "another good one", address="192.0.2.1")
