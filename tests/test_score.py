"""The score of a series of rematches: each has that of the games before in its own item, and no read finds it out."""

import json
import re

import pytest
from django.core import signing
from django.test import Client
from django.utils.timezone import now

from games import signing as positions
from games.match import Status, StoredMatch
from games.models import Game
from games.pages.game import GamePage
from games.rules import Mark
from games.signing import rematch_of, signed, unsigned
from games.storage import store
from tests.conftest import stored
from tests.support.consumed import Meter
from tests.support.many import game_of, put
from tests.support.pages import JSON
from tests.test_commands import run

TIED = (4, 0, 2, 6, 3, 5, 1, 7, 8)
GUEST = "guest-aaaaaa"


def begun(host: str = "alice", opponent: str = "bob") -> StoredMatch:
    return store.accept(store.invite(host=host, opponent=opponent).game_id, player=opponent)


def won(game: StoredMatch, winner: str) -> StoredMatch:
    return store.resign(game, player=game.other_than(winner) or "")


def tied(game: StoredMatch) -> StoredMatch:
    for square in TIED:
        game = store.move(game, player=game.whose_turn or "", square=square)
    return game


def again(game: StoredMatch, asks: str) -> StoredMatch:
    """Return the running rematch. The server knows the finished game from its signed position alone."""
    shown = unsigned(signed(game), game_id=game.game_id)
    asked = store.rematch(shown, player=asks, game_id=rematch_of(game.game_id))
    return asked if asked.computer else store.accept(asked.game_id, player=asked.opponent or "")


def score_on(game: StoredMatch) -> tuple[str, int] | None:
    """Return the score that the game's page shows, X's wins first, and its ties."""
    return GamePage(stored(game.game_id).match(), "charlie", now()).score


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize("other", ["bob", GUEST])
def test_score_follows_the_players_whoever_asks_and_begins(other: str) -> None:
    game = begun("alice", other)
    assert (stored(game.game_id).score, score_on(game)) == (None, None)
    over = won(game, "alice")
    assert score_on(over) == ("0 : 1", 0)  # The host plays O.
    game = again(over, other)
    assert (game.mark_of("alice"), game.host) == (Mark.X, other)
    assert (stored(game.game_id).score, score_on(game)) == ("0:1:0", ("1 : 0", 0))
    game = again(tied(game), "alice")
    assert (stored(game.game_id).score, score_on(game)) == ("1:0:1", ("0 : 1", 1))
    game = again(won(game, other), "alice")
    assert (stored(game.game_id).score, score_on(game)) == ("1:1:1", ("1 : 1", 1))
    assert score_on(tied(game)) == ("1 : 1", 2)


@pytest.mark.usefixtures("games_table")
def test_score_against_the_computer() -> None:
    game = again(won(store.challenge_computer(host="alice", level="good"), "computer"), "alice")
    assert (stored(game.game_id).score, score_on(game)) == ("0:1:0", ("0 : 1", 0))
    game = again(won(game, "computer"), "alice")
    assert (stored(game.game_id).score, score_on(game)) == ("0:2:0", ("2 : 0", 0))


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize(("renamed", "other", "score"), [("alice", "bob", "0 : 2"), ("bob", "alice", "1 : 1")])
def test_new_name_keeps_the_score(renamed: str, other: str, score: str) -> None:
    game = store.rename(again(won(begun(), "alice"), "bob"), old=renamed, new="dora")
    assert (stored(game.game_id).score, score_on(game)) == ("0:1:0", ("1 : 0", 0))
    assert score_on(again(won(game, "dora"), other)) == (score, 0)


def test_position_has_score_and_result_so_a_rematch_reads_nothing(bob: Client, meter: Meter) -> None:
    over = won(again(tied(begun()), "alice"), "alice")  # No board says who won.
    meter.calls.clear()
    bob.post(f"/games/{over.game_id}/rematch/", {"position": signed(over)})
    assert meter.operations == ["PutItem"]
    assert stored(rematch_of(over.game_id)).score == "0:1:1"


def earlier_version(game: StoredMatch) -> str:
    values = [getattr(game, name) for name in positions._FIELDS[:9]]
    return signing.Signer(salt=positions._SALT).sign_object(values, compress=True)


@pytest.mark.parametrize("kind", ["none", "of an earlier version", "of an earlier name"])
def test_rematch_without_the_result_reads_the_game(bob: Client, meter: Meter, kind: str) -> None:
    game = again(won(begun("alice", GUEST), GUEST), "alice")
    before = won(game, "alice")
    over = store.rename(before, old=GUEST, new="bob")
    position = {"none": None, "of an earlier version": earlier_version(over), "of an earlier name": signed(before)}[
        kind
    ]
    meter.calls.clear()
    bob.post(f"/games/{over.game_id}/rematch/", {"position": position} if position else {})
    assert meter.operations == ["GetItem", "PutItem"]
    assert stored(rematch_of(over.game_id)).score == "1:1:0"


def test_forged_position_makes_no_rematch(bob: Client) -> None:
    over = won(begun(), "alice")
    forged = signing.Signer(key="x" * 50, salt=positions._SALT).sign_object(["anything"], compress=True)
    assert bob.post(f"/games/{over.game_id}/rematch/", {"position": forged}).status_code == 400
    assert Game.count(rematch_of(over.game_id)) == 0


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize("score", ["", "x", "1:2", "-1:0:0", "1:2:3:4", "1:2:" + "9" * 5000, "\u0661:0:0"])
def test_damaged_score_counts_from_this_game_on(score: str) -> None:
    game = begun()
    Game(game.game_id).update([Game.score.set(score)])
    assert score_on(won(stored(game.game_id).match(), "bob")) == ("1 : 0", 0)


def test_page_shows_score_in_place_of_vs_and_ties_apart(alice: Client) -> None:
    game = begun()
    assert ">vs.<" in alice.get(f"/games/{game.game_id}/").content.decode()
    page = alice.get(f"/games/{again(tied(game), 'bob').game_id}/").content.decode()
    assert '<span class="tally"><b>0 : 0</b>, 1 tie</span>' in page
    assert ">vs.<" not in page


def test_export_and_show_game_have_the_score(alice: Client) -> None:
    game = again(won(begun(), "alice"), "bob")
    exported = json.loads(alice.get("/accounts/export/").getvalue())["games"]
    assert [each["score"] for each in exported if each["gameId"] == game.game_id] == ["0:1:0"]
    assert "score before (bob, alice, ties): 0:1:0\n" in run("show_game", game.game_id)
    assert json.loads(run("show_game", game.game_id, "--json"))["score"] == "0:1:0"


@pytest.mark.parametrize(("level", "said", "offered"), [("good", "Medium", True), ("perfect", "Unbeatable", False)])
def test_winner_of_a_weaker_level_is_offered_unbeatable(alice: Client, level: str, said: str, offered: bool) -> None:
    running = store.challenge_computer(host="alice", level=level, host_begins=True).game_id
    lost, won = put(
        game_of(Status.FINISHED, 1, "alice", None, computer=level, result=who) for who in ("computer", "alice")
    )
    for game_id, offers in ((running, False), (lost, False), (won, offered)):
        page = alice.get(f"/games/{game_id}/").content.decode()
        assert f"computer</bdi> ({said})" in page
        assert ("Try Unbeatable" in page) is offers
    if offered:
        form = dict(re.findall('name="(game|opponent|level)" value="([^"]+)"', page))
        assert stored(alice.post("/games/new/", form, headers=JSON).json()["gameId"]).computer == "perfect"
