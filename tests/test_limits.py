"""Each player has at most 20 pending invitations out and 20 in; the first ones are sent without a counting query."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count

import pytest
from django.test import Client
from django.utils.timezone import now

from dynamodb.errors import StoreUnavailable
from games import signing
from games.errors import TooManyInvitations
from games.match import Status
from games.models import Game
from games.storage import limits, queries, renaming, store
from games.storage.conflicts import LostRace
from games.storage.limits import _Known as Known
from tests.conftest import PASSWORD, Cast, stored
from tests.support.consumed import Meter
from tests.support.many import game_of, put
from tests.support.pages import JSON


def send(host: Client, opponents: list[str]) -> list[int]:
    return [host.post("/games/new/", {"opponent": opponent}).status_code for opponent in opponents]


def test_host_has_at_most_20_pending_invitations(alice: Client) -> None:
    assert send(alice, [f"friend{number}" for number in range(22)]) == [303] * 20 + [409] * 2
    answer = alice.post("/games/new/", {"opponent": "one-more"}, headers=JSON)
    assert answer.json()["error"].startswith("20 of your invitations wait for an answer")
    first = alice.get("/").content.decode()
    alice.post(re.findall(r'formaction|action="(/games/[^"]+/cancel/)"', first)[-1])
    assert send(alice, ["one-more", "another"]) == [303, 409]


def test_player_receives_at_most_20_pending_invitations(log_in: Cast, bob: Client) -> None:
    for number in range(7):
        assert send(log_in(f"friend{number}"), ["bob"] * 3) == [303] * (2 if number == 6 else 3) + [409] * (number == 6)
    dora = log_in("dora")
    assert send(dora, ["bob", "alice"]) == [409, 303]
    bob.get("/")
    page = dora.post("/games/new/", {"opponent": "bob"}).content.decode()
    assert "20 invitations wait for bob already" in page
    bob.post(re.findall(r'formaction="(/games/[^"]+/decline/)"', bob.get("/").content.decode())[0])
    assert send(dora, ["bob"]) == [303]


def test_host_has_at_most_3_pending_invitations_to_one_player(alice: Client, bob: Client) -> None:
    assert send(alice, ["bob"] * 4 + ["dora"]) == [303] * 3 + [409, 303]
    answer = alice.post("/games/new/", {"opponent": "bob"}, headers=JSON)
    assert answer.json()["error"].startswith("3 of your invitations to bob wait for an answer")
    bob.post(re.findall(r'formaction="(/games/[^"]+/decline/)"', bob.get("/").content.decode())[0])
    assert send(alice, ["bob"] * 2) == [303, 409]


def test_player_has_at_most_20_unfinished_games_against_the_computer(alice: Client, bob: Client) -> None:
    over = alice.post(f"{alice.post('/games/new/', {'opponent': 'computer'})['Location']}resign/")["Location"]
    assert send(alice, ["computer"] * 22) == [303] * 20 + [409] * 2
    answer = alice.post(f"{over}rematch/", headers=JSON)
    assert (answer.status_code, "finish or resign one" in answer.json()["error"]) == (409, True)
    assert send(alice, ["bob"]) == [303]
    assert send(bob, ["computer"]) == [303]
    limits._known.clear()  # another process: the lobby counts for it
    playing = alice.get("/", headers=JSON).json()["playing"]
    assert send(alice, ["computer"]) == [409]
    alice.post(f"/games/{playing[0]['gameId']}/resign/")
    Game(playing[1]["gameId"]).update([Game.expires_at.set(1)])  # TTL is late
    assert send(alice, ["computer"] * 3) == [303] * 2 + [409]


def test_form_for_the_last_game_against_the_computer_may_be_sent_twice(alice: Client) -> None:
    send(alice, ["computer"] * 19)
    form = {"opponent": "computer", "game": signing.new_game()}
    first, second = alice.post("/games/new/", form), alice.post("/games/new/", form)
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])


def test_guest_invitations_do_not_use_up_registered_players_limit(alice: Client, bob: Client) -> None:
    put([game_of(Status.PENDING, n, f"guest-{n:06}", "bob", expires_at=2_000_000_000) for n in range(20)])
    bob.get("/")
    assert send(alice, ["bob"]) == [303]
    guest = Client()
    guest.post("/accounts/guest/")
    answer = guest.post("/games/new/", {"opponent": "bob"}, headers=JSON)
    assert answer.json()["error"].startswith("20 guests' invitations wait for bob already")


def test_expired_and_accepted_invitations_do_not_count(alice: Client) -> None:
    put([game_of(Status.PENDING, n, "alice", f"friend{n}", expires_at=1) for n in range(20)])
    put([game_of(Status.PENDING, n, "alice", "bob", expires_at=1) for n in range(3)])
    put([game_of(Status.IN_PROGRESS, n, "alice", "bob") for n in range(20)])
    assert send(alice, ["bob"] * 3 + [f"friend{n}" for n in range(7)]) == [303] * 10


def test_invitation_counts_until_the_second_before_it_expires(games_table: str) -> None:
    put([game_of(Status.PENDING, 0, "alice", "bob", expires_at=2_000_000_000)])
    for before, counted in ((1, 1), (0, 0)):
        moment = datetime.fromtimestamp(2_000_000_000 - before, UTC)
        for player, sent in (("alice", True), ("bob", False)):
            assert queries.pending(player, moment, sent=sent, most=9) == counted


def test_repeated_invitation_at_limit_is_idempotent(alice: Client) -> None:
    fields = [{"opponent": f"friend{n}", "game": signing.new_game()} for n in range(21)]
    answers = [alice.post("/games/new/", each) for each in fields[:20]]
    again = alice.post("/games/new/", fields[19])
    assert (again.status_code, again["Location"]) == (303, answers[19]["Location"])
    assert alice.post("/games/new/", fields[20]).status_code == 409


@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
def test_concurrent_invitations_stay_within_limit(alice: Client) -> None:
    alice.get("/")
    with ThreadPoolExecutor(40) as threads:
        told = list(threads.map(lambda n: invited("alice", f"friend{n}"), range(40)))
    assert queries.pending("alice", now(), sent=True, most=100) == told.count(True) <= limits.MOST
    with ThreadPoolExecutor(40) as threads:
        told = list(threads.map(lambda _: invited("dora", "bob"), range(40)))
    assert queries.pending("bob", now(), sent=False, most=100) == told.count(True) <= limits.MOST_TO_ONE


def invited(host: str, opponent: str) -> bool:
    try:
        with limits.one_more(now(), host=host, opponent=opponent):
            store.invite(host=host, opponent=opponent)
    except TooManyInvitations:
        return False
    return True


def test_failed_invitation_counts_only_if_outcome_is_unknown(games_table: str) -> None:
    game = game_of(Status.PENDING, 0, "alice", "bob").match()
    for error, counted in (
        (LostRace("no", game), 0),
        (StoreUnavailable("no"), 1),
    ):
        limits._known.clear()
        with suppress(type(error)), limits.one_more(now(), host="alice", opponent="bob"):
            raise error
        assert {known.added for known in limits._known.values()} == {counted}


def test_rematch_counts_as_invitation_unless_it_accepts_one(alice: Client, bob: Client) -> None:
    games = [ended() for _ in range(4)]
    asked = [alice.post(f"/games/{game}/rematch/").status_code for game in games]
    assert asked == [303, 303, 303, 409]
    assert alice.post(f"/games/{games[2]}/rematch/").status_code == 303  # already there
    assert bob.post(f"/games/{games[0]}/rematch/").status_code == 303
    assert alice.post(f"/games/{games[3]}/rematch/").status_code == 303
    # Bob can accept although he has reached the limit himself.
    for game in games[1:]:
        limits._known.clear()
        put([game_of(Status.PENDING, n, "bob", f"friend{n}", expires_at=2_000_000_000) for n in range(20)])
        assert bob.post(f"/games/{game}/rematch/").status_code == 303
        assert stored(signing.rematch_of(game)).match().status is Status.IN_PROGRESS


def ended() -> str:
    game = store.accept(store.invite(host="alice", opponent="bob").game_id, player="bob")
    return store.resign(game, player="bob").game_id


def test_first_invitation_costs_no_query(alice: Client, meter: Meter) -> None:
    meter.calls.clear()
    assert send(alice, ["bob"]) == [303]
    assert meter.operations == ["PutItem"]


@pytest.mark.parametrize("most", [limits.MOST, limits.MOST_TO_ONE])
def test_two_independent_processes_stay_within_limit(most: int) -> None:
    for counted in range(most + 1):
        uncounted = next(added for added in count() if not Known(counted, begun=added).is_surely_below(most))
        assert counted + 2 * uncounted <= most
    assert Known().is_surely_below(most)
    assert not Known().is_surely_below(1)


def test_processes_count_again_after_five_invitations() -> None:
    assert Known(begun=limits.UNCOUNTED - 1).is_surely_below(1000)
    assert not Known(begun=limits.UNCOUNTED).is_surely_below(1000)


def test_older_lobby_does_not_reset_count_of_newer_invitations() -> None:
    limits._known.clear()
    limits.note("alice", sent=9, received=9, computer=9)
    with limits.one_more(now(), host="alice", opponent=None):
        limits.note("alice", sent=1, received=1, computer=1)
    limits.note("alice", sent=1, received=1, computer=1)
    known = {kind: (each.counted, each.added) for (kind, _), each in limits._known.items()}
    assert known == {"from": (9, 1), "to": (1, 0), "to by guests": (1, 0), "computer": (1, 0)}


def test_remembered_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 3)
    limits._known.clear()
    for number in range(5):
        with limits.one_more(now(), host=f"friend{number}", opponent=None):
            pass
    assert [key[1] for key in limits._known] == ["friend2", "friend3", "friend4"]


def test_guest_invitations_transfer_up_to_limit(games_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renaming, "SECONDS", 60)
    dora = {"username": "dora", "password": PASSWORD}
    for path in ("/accounts/signup/", "/accounts/login/"):
        guest = Client()
        guest.post("/accounts/guest/")
        for _ in range(15):
            guest.post("/games/new/", {"opponent": ""})
        assert guest.post(path, dora).status_code == 303
    lobby = guest.get("/", headers=JSON).json()
    assert (lobby["player"], len(lobby["waiting"])) == ("dora", limits.MOST)
