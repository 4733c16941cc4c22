"""At most twenty unanswered invitations from a player, and to a player; the first ones cost no query for that."""

from __future__ import annotations

import re
from itertools import count

import pytest
from django.test import Client

from games import limits
from games.models import Status
from tests.conftest import Cast
from tests.consumed import Meter
from tests.many import game_of, put


def send(host: Client, opponents: list[str]) -> list[int]:
    return [host.post("/games/new/", {"opponent": opponent}).status_code for opponent in opponents]


def test_nobody_has_more_than_twenty_unanswered_invitations_out(alice: Client) -> None:
    assert send(alice, [f"friend{number}" for number in range(22)]) == [303] * 20 + [409] * 2
    answer = alice.post("/games/new/", {"opponent": "one-more"}, headers={"accept": "application/json"})
    assert answer.json()["error"].startswith("20 of your invitations wait for an answer")
    first = alice.get("/").content.decode()
    alice.post(re.findall(r'formaction|action="(/games/[^"]+/cancel/)"', first)[-1])
    assert send(alice, ["one-more", "another"]) == [303, 409]


def test_nobody_is_sent_more_than_twenty(log_in: Cast, bob: Client) -> None:
    for number in range(4):
        assert send(log_in(f"friend{number}"), ["bob"] * 5) == [303] * 5
    dora = log_in("dora")
    assert send(dora, ["bob", "alice"]) == [409, 303]
    bob.get("/")
    page = dora.post("/games/new/", {"opponent": "bob"}).content.decode()
    assert "20 invitations wait for bob already" in page
    bob.post(re.findall(r'formaction="(/games/[^"]+/decline/)"', bob.get("/").content.decode())[0])
    assert send(dora, ["bob"]) == [303]


def test_what_has_expired_or_was_answered_does_not_count(alice: Client) -> None:
    put([game_of(Status.PENDING, n, "alice", f"friend{n}", expires_at=1) for n in range(20)])
    put([game_of(Status.IN_PROGRESS, n, "alice", f"friend{n}") for n in range(20)])
    assert send(alice, ["bob"] * 7) == [303] * 7


def test_a_first_invitation_costs_no_query(alice: Client, meter: Meter) -> None:
    meter.calls.clear()
    assert send(alice, ["bob"]) == [303]
    assert meter.operations == ["PutItem"]


def test_two_processes_that_know_nothing_of_each_other_stay_below_the_limit_together() -> None:
    for known in range(limits.MOST + 1):
        uncounted = next(added for added in count() if not limits._is_surely_below(known, added))
        assert known + 2 * uncounted <= limits.MOST
    assert limits._is_surely_below(0, 0)


def test_only_so_many_names_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 3)
    limits._known.clear()
    for number in range(5):
        limits.sent(host=f"friend{number}", opponent=None)
    assert [name for _, name in limits._known] == ["friend2", "friend3", "friend4"]
