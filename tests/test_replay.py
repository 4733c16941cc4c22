"""Replays: of a stored game by its id, or of any game by its moves alone."""

import pytest
from django.test import Client

from games.models import Game
from games.pages.replay import ReplayPage
from games.rules import Mark
from tests.conftest import stored


def test_replay_from_moves_needs_no_table() -> None:
    page = Client().get("/replay/03142/").content.decode()
    assert "Move 5 of 5: X takes top right. X wins: top row." in page
    assert page.count('class="winning') == 3
    assert 'href="/replay/03142/?move=4#back"' in page
    assert "A tie." in Client().get("/replay/021354678/").content.decode()


def test_replay_shows_one_move() -> None:
    page = Client().get("/replay/03142/?move=2").content.decode()
    assert "Move 2 of 5: O takes middle left." in page
    assert page.count(">X</span>") == 1
    assert "X moves first" in Client().get("/replay/03142/?move=0").content.decode()


@pytest.mark.parametrize(
    ("path", "status"), [("9", 400), ("x", 400), ("0.1", 400), ("00", 409), ("031428", 409), ("é", 400)]
)
def test_invalid_moves_are_400_and_illegal_ones_409(path: str, status: int) -> None:
    assert Client().get(f"/replay/{path}/").status_code == status


@pytest.mark.parametrize("move", ["", "6", "-1", "x", "1e1", "٣", "9" * 5000])
def test_invalid_move_number_is_400(move: str) -> None:
    answer = Client().get("/replay/03142/", {"move": move})
    assert answer.status_code == 400
    assert "moves 0 to 5" in answer.content.decode()


def test_stored_game_can_be_replayed(alice: Client, bob: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    for player, square in ((bob, "TopLeft"), (alice, "MiddleMiddle")):
        player.post(f"{url}move/", {"square": square})
    page = Client().get(f"{url}?move=1").content.decode()
    assert "Move 1 of 2: X takes top left." in page
    assert f'href="{url}"' in page


def test_replay_without_recorded_order_is_404(alice: Client, bob: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    for player, square in ((bob, "TopLeft"), (alice, "MiddleMiddle"), (bob, "TopRight")):
        player.post(f"{url}move/", {"square": square})
    stored(url.split("/")[2]).update([Game.recorded_moves.remove()])
    answer = alice.get(f"{url}?move=1")
    assert answer.status_code == 404
    assert "order" in answer.content.decode()
    assert alice.get(f"{url}state/").json()["moves"] is None


def test_mistake_that_was_punished_lost_the_game_and_another_was_risky() -> None:
    lost = Client().get("/replay/03142/?move=2").content.decode()
    assert "Move 2 lost the game: centre would have blocked it." in lost
    assert lost.count("<b>lost the game</b>") == 1
    tied = Client().get("/replay/021354678/?move=2").content.decode()
    assert "Move 2 was risky: centre would have blocked it." in tied
    assert (tied.count("<b>risky</b>"), tied.count("<b>missed a win</b>"), tied.count("<b>lost the game</b>")) == (
        1,
        3,
        0,
    )


@pytest.mark.parametrize(("winner", "verdict"), [("X", "lost the game"), ("O", "risky"), (None, "risky")])
def test_resigning_after_a_mistake_is_losing_by_it(winner: str | None, verdict: str) -> None:
    page = ReplayPage("03", 2, Mark(winner) if winner else None)
    assert page.steps[1].verdict == verdict
