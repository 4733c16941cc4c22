"""``state/``: the game as JSON, or a 304 if it's unchanged."""

import pytest
from django.test import Client

from tests.support.pages import HTMX


@pytest.fixture
def url(alice: Client) -> str:
    return str(alice.post("/games/new/", {"opponent": "bob"})["Location"])


def test_state_of_pending_game(url: str) -> None:
    assert Client().get(f"{url}state/").json() == {
        "gameId": url.split("/")[2],
        "status": "PENDING",
        "turn": "bob",
        "board": [" "] * 9,
        "result": None,
        "moves": "",
        "host": "alice",
        "opponent": "bob",
    }


def test_state_of_finished_game(url: str, alice: Client, bob: Client) -> None:
    for player, square in zip(
        [bob, alice] * 3, ["TopLeft", "MiddleLeft", "TopMiddle", "MiddleMiddle", "TopRight"], strict=False
    ):
        assert player.post(f"{url}move/", {"square": square}).status_code == 303
    state = Client().get(f"{url}state/").json()
    assert (state["status"], state["turn"], state["result"], state["moves"]) == ("FINISHED", None, "bob", "03142")
    assert state["board"] == ["X", "X", "X", "O", "O", " ", " ", " ", " "]


def test_matching_etag_is_304_until_game_changes(url: str, bob: Client) -> None:
    first = Client().get(f"{url}state/")
    again = {"if-none-match": first["ETag"]}
    unchanged = Client().get(f"{url}state/", headers=again)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    bob.post(f"{url}accept/")
    changed = Client().get(f"{url}state/", headers=again)
    assert (changed.status_code, changed.json()["status"]) == (200, "IN_PROGRESS")


def test_state_is_no_cache_and_page_is_no_store(url: str) -> None:
    answer = Client().get(f"{url}state/")
    assert "no-cache" in answer["Cache-Control"]
    assert "Accept" in answer["Vary"]
    assert "no-store" in Client().get(url)["Cache-Control"]


def version(page: str) -> str:
    return page.split('data-version="')[1].split('"')[0]


def test_poll_is_204_until_something_changes(url: str, alice: Client, bob: Client) -> None:
    for page, act in [(url, f"{url}accept/"), ("/", f"{url}move/")]:
        again = f"{page}?since={version(alice.get(page).content.decode())}"
        assert alice.get(again, headers=HTMX).status_code == 204
        bob.post(act, {"square": "TopLeft"})
        assert 'data-version="' in alice.get(again, headers=HTMX).content.decode()
        assert "<html" in alice.get(again).content.decode()
        restored = HTMX | {"hx-history-restore-request": "true"}
        assert "<html" in alice.get(again, headers=restored).content.decode()
