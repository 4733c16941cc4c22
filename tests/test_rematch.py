"""A rematch swaps sides and first move. If both players ask at once they get one game; otherwise it's an invitation."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from dynamodb.client import shared_client
from games.errors import IllegalMove, NotYours, UnreadableGame
from games.match import Match, Status, StoredMatch
from games.models import Game
from games.pages.game import GamePage
from games.pages.rights import STAYS
from games.rules import Mark
from games.signing import rematch_of, signed
from games.storage import store
from games.storage.conflicts import LostRace
from tests.conftest import Clock, stored
from tests.support.consumed import Meter
from tests.support.many import START, game_of
from tests.support.pages import HTMX, JSON, unmarked


def over(host: str = "alice", opponent: str = "bob", pace: int | None = None) -> Match:
    game = store.invite(host=host, opponent=opponent, pace=pace)
    game = store.accept(game.game_id, player=opponent)
    return store.resign(game, player=host)


def again(match: Match, player: str) -> StoredMatch:
    return store.rematch(match, player=player, game_id=rematch_of(match.game_id))


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize(("asks", "other"), [("alice", "bob"), ("bob", "alice")])
def test_rematch_invites_opponent_and_swaps_sides_and_first_move(asks: str, other: str) -> None:
    game = again(over(pace=300), asks)
    assert (game.host, game.opponent_id, game.o_user, game.turn, game.pace) == (asks, other, "bob", "alice", 300)
    assert stored(game.game_id).match().stored_status is Status.PENDING
    game = store.accept(game.game_id, player=other)
    assert (game.turn, game.mark_of("alice"), game.mark_of("bob")) == ("alice", Mark.X, Mark.O)
    game = store.move(game, player="alice", square=0)
    game = store.move(game, player="bob", square=3)
    for player, square in (("alice", 1), ("bob", 4), ("alice", 2)):
        game = store.move(game, player=player, square=square)
    assert (game.result, game.board[0]) == ("alice", "X")
    third = again(game, "bob")
    assert (third.mark_of("alice"), third.turn) == (Mark.O, "bob")


@pytest.mark.usefixtures("games_table")
def test_rematch_is_idempotent_and_second_player_accepts_it() -> None:
    match = over()
    first = again(match, "alice")
    assert (again(match, "alice").game_id, again(match, "alice").status_date) == (
        first.game_id,
        first.status_date,
    )
    game = again(match, "bob")
    assert (game.game_id, game.stored_status, game.host) == (first.game_id, Status.IN_PROGRESS, "alice")
    assert {again(match, player).status_date for player in ("alice", "bob")} == {game.status_date}


@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
@pytest.mark.usefixtures("games_table")
def test_simultaneous_rematches_make_one_game() -> None:
    snapshots = [over() for _ in range(20)]
    with ThreadPoolExecutor(2) as both:
        for match in snapshots:
            games = list(both.map(again, [match] * 2, ["alice", "bob"]))
            assert games[0].game_id == games[1].game_id
            assert stored(games[0].game_id).match().stored_status is Status.IN_PROGRESS


@pytest.mark.usefixtures("games_table")
def test_expired_or_declined_rematch_can_be_offered_again() -> None:
    match = over()
    game = again(match, "alice")
    store.decline(game.game_id, player="bob")
    game = again(match, "alice")
    Game(game.game_id).update([Game.expires_at.set(1)])
    game = again(match, "bob")
    assert (game.host, game.stored_status) == ("bob", Status.PENDING)
    assert stored(game.game_id).expires_at > 1


@pytest.mark.usefixtures("games_table")
def test_rematch_replaces_no_damaged_game() -> None:
    match = over()
    damaged = again(match, "alice")
    Game(damaged.game_id).update([Game.host_id.remove()])
    with pytest.raises((LostRace, UnreadableGame)):
        again(match, "bob")
    assert stored(damaged.game_id).host_id is None


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize(("before", "host"), [(1, "alice"), (0, "bob")])
def test_rematch_offer_is_replaced_from_the_second_it_expires(before: int, host: str, stop_clock: Clock) -> None:
    match = over()
    offer = again(match, "alice")
    stop_clock(stored(offer.game_id).expires_at - before)
    assert again(match, "bob").host == host


@pytest.mark.usefixtures("games_table")
def test_rematch_needs_a_player_and_a_finished_game() -> None:
    with pytest.raises(NotYours):
        again(over(), "charlie")
    going = store.accept(store.invite(host="alice", opponent="bob").game_id, player="bob")
    with pytest.raises(IllegalMove, match="not over"):
        again(going, "alice")


@pytest.mark.usefixtures("games_table")
def test_computer_rematch_keeps_level_and_player_moves_first() -> None:
    game = store.resign(store.challenge_computer(host="alice", level="good"), player="alice")
    game = again(game, "alice")
    assert (game.computer, game.turn, game.board, game.mark_of("alice")) == ("good", "alice", " " * 9, Mark.X)
    game = store.move(game, player="alice", square=4)
    assert (game.board.count("X"), game.board.count("O"), game.turn) == (1, 1, "alice")
    game = store.resign(game, player="alice")
    assert again(game, "alice").board.count("X") == 1


def test_rematch_over_http_costs_one_write_and_both_get_same_game(
    alice: Client, bob: Client, charlie: Client, meter: Meter
) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    bob.post(f"{url}accept/")
    assert alice.post(f"{url}rematch/").status_code == 409
    assert charlie.post(f"{url}rematch/").status_code == 403
    over = alice.post(f"{url}resign/", headers=JSON).json()
    assert "Rematch" in alice.get(url).content.decode()
    assert "Rematch" not in charlie.get(url).content.decode()
    meter.calls.clear()
    answer = alice.post(f"{url}rematch/", {"position": over["position"]}, headers=JSON)
    assert (answer.status_code, answer.json()["status"], meter.operations) == (201, "PENDING", ["PutItem"])
    assert "You&#39;re O and go second." in bob.get(answer["Location"]).content.decode()
    assert bob.post(f"{url}rematch/")["Location"] == answer["Location"]
    assert alice.get(f"{answer['Location']}state/").json()["turn"] == "alice"


def test_finished_game_page_shows_opponents_rematch_offer(alice: Client, bob: Client, charlie: Client) -> None:
    game = over()
    url = f"/games/{game.game_id}/"
    shown = GamePage(stored(game.game_id).match(), "bob", now()).version
    assert bob.get(url, {"since": shown}, headers=HTMX).status_code == 204
    alice.post(f"{url}rematch/")
    told = unmarked(bob.get(url, {"since": shown}, headers=HTMX))
    assert offered(told)
    assert 'data-title="(1) alice asks for a rematch · Tic-Tac-Toe"' in told
    assert 'data-said="You won: alice resigned.\nalice asks for a rematch."' in told
    assert not offered(unmarked(alice.get(url)))
    for client in (charlie, Client()):
        assert "asks for a rematch" not in unmarked(client.get(url))
    bob.post(f"{url}rematch/")
    assert not offered(unmarked(bob.get(url)))


def offered(page: str) -> bool:
    """Whether the page shows the offer, which has its place in any case."""
    hidden, shown = (f'<p id="offer" class="row centred"{attribute}>' in page for attribute in (" hidden", ""))
    assert hidden is not shown
    return shown


@pytest.mark.parametrize("kind", [{}, JSON, HTMX])
def test_no_thanks_leads_back_to_the_game_and_is_told_to_who_asked(
    alice: Client, bob: Client, kind: dict[str, str], meter: Meter
) -> None:
    game = over()
    url, next_id = f"/games/{game.game_id}/", rematch_of(game.game_id)
    asked = alice.post(f"{url}rematch/")["Location"]
    assert offered(unmarked(bob.get(url)))
    meter.calls.clear()
    answer = bob.post(f"{url}rematch/", {"answer": "no"}, headers=kind)
    assert meter.operations == ["UpdateItem"]
    assert answer.get("Location", answer.get("HX-Redirect", url)) == url
    assert not offered(unmarked(bob.get(url)))
    assert "bob said: No, thanks." in alice.get(asked).content.decode()
    assert stored(next_id).attribute_values.keys() == {"game_id", "declined_by", "expires_at"}
    assert bob.post(f"{url}rematch/", {"answer": "no"}).status_code == 303  # withdrawn by then
    assert alice.post(f"{url}rematch/")["Location"] == asked
    assert offered(unmarked(bob.get(url)))


@pytest.mark.parametrize("client", ["alice", "charlie"])
def test_only_the_one_asked_can_say_no_thanks(client: str, log_in: Callable[[str], Client]) -> None:
    asked = again(game := over(), "alice")
    answer = log_in(client).post(f"/games/{game.game_id}/rematch/", {"answer": "no"})
    assert answer.status_code == 403
    assert stored(asked.game_id).match().status is Status.PENDING


def test_page_reads_rematch_only_for_recently_finished_game(bob: Client, meter: Meter) -> None:
    recent, old = over(), over()
    Game(old.game_id).update([Game.status_date.set(f"{Status.FINISHED}_2020-01-01 00:00:00.000000")])
    for game, operations in ((old, ["GetItem"]), (recent, ["GetItem", "BatchGetItem"])):
        meter.calls.clear()
        assert bob.get(f"/games/{game.game_id}/").status_code == 200
        assert meter.operations == operations


def test_page_expects_a_rematch_for_ten_minutes() -> None:
    game = game_of(Status.FINISHED, 0, "alice", "bob").match()
    for after, hopes in ((STAYS - timedelta.resolution, True), (STAYS, False)):
        assert GamePage(game, "alice", START + after).hopes is hopes


NOT_THE_REMATCH: dict[str, Callable[[str], StoredMatch]] = {
    "a third person's": lambda game_id: store.invite(host="charlie", opponent=None, game_id=game_id),
    "with another pace": lambda game_id: store.rematch(over(pace=300), player="alice", game_id=game_id),
    "with other sides": lambda game_id: store.invite(host="alice", opponent="bob", game_id=game_id),
    "open to all": lambda game_id: store.invite(host="alice", opponent=None, game_id=game_id),
    "against the computer": lambda game_id: store.challenge_computer(host="alice", game_id=game_id),
    "the player's own": lambda game_id: store.invite(host="bob", opponent="charlie", game_id=game_id),
}


@pytest.mark.parametrize("make", NOT_THE_REMATCH.values(), ids=NOT_THE_REMATCH)
def test_unrelated_game_with_rematch_id_is_409_and_unchanged(bob: Client, make: Callable[[str], StoredMatch]) -> None:
    finished = over()
    before = stored(make(rematch_of(finished.game_id)).game_id)
    answer = bob.post(f"/games/{finished.game_id}/rematch/", headers=JSON)
    assert (answer.status_code, answer.json()["error"], answer.json()["gameId"]) == (
        409,
        "That rematch isn't available any more. Start a new game.",
        finished.game_id,
    )
    assert stored(before.game_id).attribute_values == before.attribute_values


@pytest.mark.usefixtures("games_table")
def test_accepted_rematch_survives_guest_signup() -> None:
    match = over(opponent="guest-aaaaaa")
    game = again(match, "guest-aaaaaa")
    named = store.rename(game, old="guest-aaaaaa", new="dora")
    with pytest.raises(LostRace, match="isn't available any more"):  # dora could be anybody
        again(match, "alice")
    accepted = store.accept(named.game_id, player="alice")
    assert again(match, "alice") == accepted


@pytest.mark.usefixtures("games_table")
def test_rematch_racing_with_cancel_becomes_new_offer() -> None:
    match = over()
    game_id = again(match, "alice").game_id
    events = shared_client().meta.events

    def withdraws(**_: Any) -> None:
        events.unregister("before-call.dynamodb.UpdateItem", withdraws)
        store.cancel(game_id, player="alice")

    events.register("before-call.dynamodb.UpdateItem", withdraws)
    game = again(match, "bob")
    assert (game.host, game.opponent_id, stored(game_id).match().stored_status) == ("bob", "alice", Status.PENDING)


def test_page_of_earlier_invitation_does_not_accept_rematch(bob: Client) -> None:
    """The same id, host and pace, but bob would be O."""
    finished = over()
    shown = store.invite(host="alice", opponent="bob", game_id=rematch_of(finished.game_id))
    store.cancel(shown.game_id, player="alice")
    rematch = again(finished, "alice")
    for page, status in ((shown, 409), (rematch, 200)):
        assert stored(rematch.game_id).match().stored_status is Status.PENDING
        fields = {"position": signed(page)}
        assert bob.post(f"/games/{rematch.game_id}/accept/", fields, headers=JSON).status_code == status


@pytest.mark.usefixtures("games_table")
def test_running_rematch_past_ttl_is_not_overwritten() -> None:
    game_id = str(uuid.uuid4())
    over = store.accept(store.invite(host="guest-aaaaaa", opponent="bob").game_id, player="bob")
    over = store.resign(over, player="bob")
    store.rematch(over, player="bob", game_id=game_id)
    store.accept(game_id, player="guest-aaaaaa")
    Game(game_id).update([Game.expires_at.set(1)])
    store.rematch(over, player="bob", game_id=game_id)
    assert stored(game_id).match().stored_status is Status.IN_PROGRESS
