"""Replies damaged in transit are retried, and never taken for DynamoDB's answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from django.test import Client

from dynamodb import retries
from dynamodb.client import shared_client
from games.models import Game
from tests.conftest import stored
from tests.support.pages import JSON

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda body: body[: len(body) // 2],
    "other bytes": lambda body: b"\x00\xff" + body,
    "another page": lambda body: b"<html>Welcome to the hotel</html>",
    "a list": lambda body: b"[]",
    "nothing": lambda body: b"",
}


@dataclass
class Wire:
    """The connection between botocore and the engine; damages the next ``left`` replies."""

    session: Any
    damage: Callable[[bytes], bytes] = bytes
    left: int = 0

    def send(self, request: Any) -> AWSResponse:
        reply: AWSResponse = self.session.send(request)
        if self.left:
            self.left -= 1
            reply._content = self.damage(reply.content)  # type: ignore[attr-defined]
        return reply

    def close(self) -> None:
        self.session.close()


@pytest.fixture
def wire(games_table: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    # The real pauses between tries are tested in test_retries.py.
    monkeypatch.setattr(retries, "LONGEST_PAUSE_SECONDS", 0.02)
    checked = shared_client()._endpoint.http_session
    checked._session = wire = Wire(checked._session)
    yield wire
    checked._session = wire.session


@pytest.fixture
def url(alice: Client, bob: Client) -> str:
    address = str(alice.post("/games/new/", {"opponent": "bob"})["Location"])
    bob.post(f"{address}accept/")
    return address


@pytest.fixture(params=DAMAGES.values(), ids=list(DAMAGES))
def damaging(request: pytest.FixtureRequest, wire: Wire) -> Wire:
    wire.damage = request.param
    return wire


def test_single_damaged_reply_is_retried(url: str, bob: Client, damaging: Wire) -> None:
    damaging.left = 1
    assert bob.get(f"{url}state/").status_code == 200
    damaging.left = 1
    assert bob.post(f"{url}move/", {"square": "TopLeft"}, headers=JSON).json()["moves"] == "0"
    damaging.left = 1
    assert bob.get("/").status_code == 200


def test_withdrawal_whose_reply_was_lost_succeeds(alice: Client, bob: Client, wire: Wire) -> None:
    wire.damage = DAMAGES["nothing"]
    for player, act in ((alice, "cancel"), (bob, "decline")):
        invitation = alice.post("/games/new/", {"opponent": "bob"})["Location"]
        wire.left = 1
        assert player.post(f"{invitation}{act}/").status_code == 303
        assert player.post(f"{invitation}{act}/").status_code == 404


def test_no_thanks_that_is_sent_again_stays_no(url: str, alice: Client, bob: Client, wire: Wire) -> None:
    bob.post(f"{url}resign/")
    asked = alice.post(f"{url}rematch/")["Location"]
    wire.damage, wire.left = DAMAGES["cut"], 10**6
    page = bob.post(f"{url}rematch/", {"answer": "no"}).content.decode()
    assert '<input type="hidden" name="answer" value="no">' in page
    wire.left = 0
    assert alice.get(asked).status_code == 404


def test_persistently_damaged_replies_are_503_and_move_is_kept(url: str, bob: Client, damaging: Wire) -> None:
    position = bob.get(url, headers=JSON).json()["position"]
    form = {"square": "TopLeft", "position": position}
    damaging.left = 10**6
    assert bob.get(url).status_code == 503
    assert bob.post(f"{url}move/", form).status_code == 503
    damaging.left = 0
    # The move was written; sending it again succeeds.
    assert stored(url.split("/")[2]).recorded_moves == "0"
    assert bob.post(f"{url}move/", form, headers=JSON).json()["moves"] == "0"


def test_persistently_damaged_replies_are_503_on_every_page(url: str, bob: Client, wire: Wire) -> None:
    wire.damage, wire.left = DAMAGES["cut"], 10**6
    for path in (f"{url}state/", "/", "/readyz/"):
        assert bob.get(path).status_code == 503, path
    assert bob.post("/games/new/", {"opponent": "alice"}).status_code == 503


def test_damaged_condition_failure_is_503(url: str, bob: Client, damaging: Wire) -> None:
    """A failed condition is a 400 that contains the item; if damaged, it must not pass for a lost race."""
    position = bob.get(url, headers=JSON).json()["position"]
    Game(url.split("/")[2]).update([Game.turn.set("alice")])
    damaging.left = 10**6
    form = {"square": "TopLeft", "position": position}
    assert bob.post(f"{url}move/", form).status_code == 503


@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
def test_wrong_checksum_is_detected_and_retried(url: str, bob: Client, wire: Wire) -> None:
    """Run on DynamoDB Local only: moto sends no checksums."""
    wire.damage = lambda body: body.replace(b"alice", b"clare")
    wire.left = 1
    assert bob.get(f"{url}state/").json()["host"] == "alice"
    wire.left = 10**6
    assert bob.get(f"{url}state/").status_code == 503
