"""Each transition of a game: what it writes, what it refuses, and what happens when somebody was faster."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from games.errors import IllegalMove, NotFound, NotYours
from games.match import Match, Status, StoredMatch
from games.models import Game
from games.storage import queries, store
from games.storage.conflicts import LostRace
from tests.conftest import stored

pytestmark = pytest.mark.usefixtures("games_table")


@pytest.fixture
def pending() -> StoredMatch:
    return store.invite(host="alice", opponent="bob")


@pytest.fixture
def playing(pending: StoredMatch) -> StoredMatch:
    return store.accept(pending.game_id, player="bob")


def turns() -> Iterator[str]:
    while True:
        yield "bob"
        yield "alice"


def play(game: StoredMatch, moves: str) -> StoredMatch:
    for player, digit in zip(turns(), moves, strict=False):
        game = store.move(game, player=player, square=int(digit))
    return game


def expire(game: StoredMatch) -> None:
    Game(game.game_id).update([Game.expires_at.set(int((datetime.now(UTC) - timedelta(seconds=1)).timestamp()))])


def test_an_invitation_has_the_attributes_of_the_design(pending: StoredMatch) -> None:
    item = stored(pending.game_id)
    assert uuid.UUID(item.game_id).version == 4
    assert (item.host_id, item.opponent_id, item.o_user, item.turn) == ("alice", "bob", "alice", "bob")
    assert item.status_date.startswith("PENDING_20")
    assert item.recorded_moves == ""
    assert 6.9 < (item.expires_at - datetime.now(UTC).timestamp()) / 86_400 <= 7


def test_an_open_invitation_names_nobody() -> None:
    item = stored(store.invite(host="alice", opponent=None).game_id)
    assert (item.opponent_id, item.turn, item.by_link) == (None, None, True)


def test_the_same_invitation_twice_is_one_game() -> None:
    game_id = str(uuid.uuid4())
    first = store.invite(host="alice", opponent="bob", game_id=game_id)
    assert store.invite(host="alice", opponent="bob", game_id=game_id).status_date == first.status_date


def test_an_open_invitation_sent_again_is_the_same_game_though_its_link_was_opened() -> None:
    game_id = str(uuid.uuid4())
    store.invite(host="alice", opponent=None, game_id=game_id)
    store.accept(game_id, player="bob")
    assert store.invite(host="alice", opponent=None, game_id=game_id).opponent_id == "bob"
    with pytest.raises(LostRace, match="sent already"):
        store.invite(host="alice", opponent="bob2", game_id=game_id)


@pytest.mark.parametrize("host", ["guest-a", "charlie"])
def test_an_invitation_that_another_host_has_replaced_is_shown_and_not_accepted(host: str) -> None:
    game_id = str(uuid.uuid4())
    old = store.invite(host=host, opponent="bob", game_id=game_id)
    store.cancel(game_id, player=host)
    store.invite(host="alice", opponent="bob", game_id=game_id)
    with pytest.raises(LostRace, match="has changed"):
        store.accept(game_id, player="bob", shown=old)
    with pytest.raises(LostRace, match="has changed"):
        store.move(old, player="bob", square=0)
    assert stored(game_id).match().status is Status.PENDING


@pytest.mark.parametrize(
    "begin",
    [
        lambda shown: store.move(shown, player="bob", square=0),
        lambda shown: store.accept(shown.game_id, player="bob", shown=shown),
    ],
    ids=["move", "accept"],
)
def test_an_invitation_with_other_sides_in_the_place_of_the_one_shown_is_not_begun(
    begin: Callable[[Match], StoredMatch], playing: StoredMatch
) -> None:
    over = store.resign(playing, player="bob")
    shown = store.invite(host="alice", opponent="bob")
    store.cancel(shown.game_id, player="alice")
    again = store.rematch(over, player="alice", game_id=shown.game_id)
    assert (shown.o_user, again.o_user) == ("alice", "bob")
    with pytest.raises(LostRace, match="has changed"):
        begin(shown)
    assert stored(again.game_id).status_date == again.status_date
    game = store.accept(again.game_id, player="bob")
    assert store.move(game, player="alice", square=0).turn == "bob"


def test_a_page_of_somebody_elses_invitation_does_not_move_in_the_game_that_came_after_it() -> None:
    shown = store.invite(host="alice", opponent=None)
    store.cancel(shown.game_id, player="alice")
    store.invite(host="bob", opponent=None, game_id=shown.game_id)
    store.accept(shown.game_id, player="charlie")
    with pytest.raises(LostRace, match="moved on"):
        store.move(shown, player="charlie", square=4)
    assert stored(shown.game_id).match().board == " " * 9


@pytest.mark.parametrize("o_user", ["alice", None])
def test_who_plays_o_need_not_be_stored_where_it_is_the_host(pending: StoredMatch, o_user: str | None) -> None:
    Game(pending.game_id).update([Game.o_user.set(o_user) if o_user else Game.o_user.remove()])
    shown = stored(pending.game_id).match()
    game = store.accept(pending.game_id, player="bob", shown=shown)
    assert play(game, "03142").result == "bob"


def test_a_page_that_does_not_know_who_plays_o_is_as_good_as_ever(pending: StoredMatch) -> None:
    game = store.move(replace(pending, o_user=""), player="bob", square=0)
    assert store.move(replace(game, o_user=""), player="alice", square=4).board == "X   O    "


def test_a_move_long_ago_that_comes_again_is_the_success_it_was(playing: StoredMatch) -> None:
    play(playing, "4083")
    assert store.move(playing, player="bob", square=4).moves == "4083"
    with pytest.raises(LostRace):
        store.move(playing, player="bob", square=8)


def test_an_id_that_somebody_else_used_is_refused_and_their_game_unharmed(pending: StoredMatch) -> None:
    with pytest.raises(LostRace):
        store.invite(host="charlie", opponent="bob", game_id=pending.game_id)
    assert stored(pending.game_id).host_id == "alice"


def test_accepting_starts_the_game_and_the_invited_player_moves_first(pending: StoredMatch) -> None:
    game = store.accept(pending.game_id, player="bob")
    assert stored(game.game_id).match() == game
    assert game.status is Status.IN_PROGRESS
    assert game.turn == "bob"
    assert game.expires_at is None


def test_accepting_twice_is_accepting_once(pending: StoredMatch) -> None:
    first = store.accept(pending.game_id, player="bob")
    assert store.accept(pending.game_id, player="bob").status_date == first.status_date


def test_whoever_comes_first_takes_an_open_invitation() -> None:
    game = store.invite(host="alice", opponent=None)
    assert store.accept(game.game_id, player="charlie").opponent_id == "charlie"
    with pytest.raises(LostRace, match="faster") as lost:
        store.accept(game.game_id, player="bob")
    assert lost.value.game.opponent_id == "charlie"


@pytest.mark.parametrize("player", ["alice", "charlie"])
def test_nobody_else_can_accept(pending: StoredMatch, player: str) -> None:
    with pytest.raises(NotYours):
        store.accept(pending.game_id, player=player)
    assert stored(pending.game_id).match().status is Status.PENDING


def test_a_host_cannot_take_their_own_open_invitation() -> None:
    game = store.invite(host="alice", opponent=None)
    with pytest.raises(NotYours, match="your own"):
        store.accept(game.game_id, player="alice")
    with pytest.raises(IllegalMove):
        store.move(game, player="alice", square=0)
    assert stored(game.game_id).match().status is Status.PENDING


def test_an_expired_invitation_cannot_be_accepted_nor_moved_in(pending: StoredMatch) -> None:
    expire(pending)
    with pytest.raises(LostRace, match="expired"):
        store.accept(pending.game_id, player="bob")
    with pytest.raises(LostRace):
        store.move(pending, player="bob", square=0)
    assert stored(pending.game_id).match().status is Status.PENDING


@pytest.mark.parametrize(
    ("host", "player", "days"), [("guest-a", "guest-b", 30), ("guest-a", "bob", 30), ("alice", "guest-b", 30)]
)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_a_guests_game_expires_in_30_days(host: str, player: str, days: int, named: bool, known: bool) -> None:
    game = store.invite(host=host, opponent=player if named else None)
    store.accept(game.game_id, player=player, shown=game if known else None)
    left = stored(game.game_id).expires_at - datetime.now(UTC).timestamp()
    assert days - 0.1 < left / 86_400 <= days


def test_accepting_by_a_first_move_treats_expiry_alike() -> None:
    guests = store.invite(host="guest-a", opponent=None)
    assert store.move(guests, player="bob", square=0).expires_at
    kept = store.invite(host="alice", opponent=None)
    assert store.move(kept, player="bob", square=0).expires_at is None


def test_declining_and_cancelling_remove_the_invitation(pending: StoredMatch) -> None:
    store.decline(pending.game_id, player="bob")
    other = store.invite(host="alice", opponent=None)
    store.cancel(other.game_id, player="alice")
    for game in (pending, other):
        with pytest.raises(NotFound):
            queries.game(game.game_id)


@pytest.mark.parametrize(
    ("act", "player"), [("decline", "alice"), ("cancel", "bob"), ("decline", "x"), ("cancel", "x")]
)
def test_an_invitation_is_withdrawn_only_by_its_own_side(pending: StoredMatch, act: str, player: str) -> None:
    with pytest.raises(NotYours):
        getattr(store, act)(pending.game_id, player=player)
    assert stored(pending.game_id).match().status is Status.PENDING


def test_an_accepted_invitation_cannot_be_withdrawn(playing: StoredMatch) -> None:
    for act, player in ((store.decline, "bob"), (store.cancel, "alice")):
        with pytest.raises(LostRace, match="begun"):
            act(playing.game_id, player=player)
    assert stored(playing.game_id).match().status is Status.IN_PROGRESS


@pytest.mark.parametrize("act", [store.accept, store.decline, store.cancel])
def test_what_is_not_there_is_not_found(act: object) -> None:
    with pytest.raises(NotFound):
        act(str(uuid.uuid4()), player="bob")  # type: ignore[operator]


def test_a_move_writes_the_square_the_turn_and_the_order(playing: StoredMatch) -> None:
    returned = store.move(playing, player="bob", square=4)
    item = stored(playing.game_id)
    assert item.match() == returned
    assert (item.middle_middle, item.turn, item.recorded_moves) == ("X", "alice", "4")
    assert item.status_date == playing.status_date


def test_a_first_move_accepts_the_invitation(pending: StoredMatch) -> None:
    store.move(pending, player="bob", square=0)
    item = stored(pending.game_id)
    assert (item.match().status, item.top_left, item.turn, item.expires_at) == (Status.IN_PROGRESS, "X", "alice", None)


def test_the_first_move_in_an_open_invitation_takes_the_seat() -> None:
    game = store.invite(host="alice", opponent=None)
    store.move(game, player="bob", square=0)
    with pytest.raises(LostRace, match="faster"):
        store.move(game, player="charlie", square=0)
    assert stored(game.game_id).opponent_id == "bob"


@pytest.mark.parametrize(
    ("moves", "result"), [("03142", "bob"), ("031485", "alice"), ("021354678", "Tie"), ("031457682", "bob")]
)
def test_the_last_move_finishes_the_game_in_the_same_write(playing: StoredMatch, moves: str, result: str) -> None:
    before = play(playing, moves[:-1])
    assert (before.status, before.result) == (Status.IN_PROGRESS, None)
    play_last = "bob" if len(moves) % 2 else "alice"
    store.move(before, player=play_last, square=int(moves[-1]))
    item = stored(playing.game_id)
    assert item.status_date.startswith("FINISHED_20")
    assert item.status_date > playing.status_date.replace("IN_PROGRESS", "FINISHED")
    assert (item.result, item.turn, item.recorded_moves) == (result, "N/A", moves)


def test_the_rules_are_kept(playing: StoredMatch) -> None:
    after = store.move(playing, player="bob", square=4)
    for player, square, error in [("bob", 0, IllegalMove), ("alice", 4, IllegalMove), ("charlie", 0, NotYours)]:
        with pytest.raises(error):
            store.move(after, player=player, square=square)
    over = play(playing_again(), "03142")
    with pytest.raises(IllegalMove, match="over"):
        store.move(over, player="alice", square=8)
    assert stored(playing.game_id).recorded_moves == "4"


def playing_again() -> StoredMatch:
    return store.accept(store.invite(host="alice", opponent="bob").game_id, player="bob")


def test_of_two_moves_on_one_position_one_wins_and_the_other_gets_the_board(playing: StoredMatch) -> None:
    store.move(playing, player="bob", square=4)
    with pytest.raises(LostRace) as lost:
        store.move(playing, player="bob", square=0)
    assert lost.value.game.moves == "4"
    assert stored(playing.game_id).recorded_moves == "4"


def test_a_position_two_moves_old_is_refused_though_the_turn_is_the_same(playing: StoredMatch) -> None:
    play(playing, "40")
    with pytest.raises(LostRace):
        store.move(playing, player="bob", square=8)
    assert stored(playing.game_id).recorded_moves == "40"


def test_a_move_that_landed_is_a_success_when_it_comes_again(playing: StoredMatch) -> None:
    first = store.move(playing, player="bob", square=4)
    assert store.move(playing, player="bob", square=4) == first
    answered = store.move(first, player="alice", square=0)
    assert store.move(playing, player="bob", square=4) == answered


def test_a_stored_turn_that_is_the_others_is_respected(playing: StoredMatch) -> None:
    stored(playing.game_id).update([Game.turn.set("alice")])
    with pytest.raises(LostRace):
        store.move(playing, player="bob", square=4)


def test_a_later_move_to_the_same_square_does_not_pass_for_an_earlier_one(playing: StoredMatch) -> None:
    play(playing, "408")
    with pytest.raises(LostRace):
        store.move(playing, player="bob", square=8)


def test_a_finishing_move_that_comes_again_is_a_success_too(playing: StoredMatch) -> None:
    before = play(playing, "0314")
    over = store.move(before, player="bob", square=2)
    assert store.move(before, player="bob", square=2).status_date == over.status_date


def test_a_position_of_an_id_that_was_used_again_is_refused() -> None:
    game_id = str(uuid.uuid4())
    old = store.invite(host="alice", opponent=None, game_id=game_id)
    store.cancel(game_id, player="alice")
    store.invite(host="charlie", opponent=None, game_id=game_id)
    with pytest.raises(LostRace):
        store.move(old, player="bob", square=0)
    assert stored(game_id).match().status is Status.PENDING


def test_a_move_from_the_invitation_counts_though_another_tab_accepted_it(pending: StoredMatch) -> None:
    store.accept(pending.game_id, player="bob")
    assert store.move(pending, player="bob", square=4).moves == "4"


def test_an_expired_invitation_says_so_also_to_a_move(pending: StoredMatch) -> None:
    expire(pending)
    with pytest.raises(LostRace, match="expired"):
        store.move(pending, player="bob", square=0)


def test_the_order_of_two_old_moves_is_derived(playing: StoredMatch) -> None:
    game = play(playing, "40")
    Game(game.game_id).update([Game.recorded_moves.remove()])
    assert stored(game.game_id).match().moves == "40"
    assert play(stored(game.game_id).match(), "8").moves == "408"


def test_a_move_into_a_withdrawn_invitation_makes_no_item(pending: StoredMatch) -> None:
    store.cancel(pending.game_id, player="alice")
    with pytest.raises(NotFound):
        store.move(pending, player="bob", square=0)
    with pytest.raises(NotFound):
        store.accept(pending.game_id, player="bob")
    with pytest.raises(Game.DoesNotExist):
        stored(pending.game_id)


def test_the_computer_moves_first_and_replies_in_the_same_write() -> None:
    game = store.challenge_computer(host="alice")
    assert (len(game.moves or ""), game.turn, game.opponent_id) == (1, "alice", None)
    square = game.position.empty_squares[0]
    store.move(game, player="alice", square=square)
    item = stored(game.game_id)
    assert len(item.recorded_moves) == 3
    assert (item.turn, item.match().opponent) == ("alice", "computer")


def test_a_game_against_the_computer_ends_and_is_never_lost_by_it() -> None:
    game = store.challenge_computer(host="alice")
    while game.status is not Status.FINISHED:
        game = store.move(game, player="alice", square=game.position.empty_squares[-1])
    item = stored(game.game_id)
    assert item.result in ("computer", "Tie")
    assert item.turn == "N/A"


def test_nobody_else_moves_against_the_computer_and_nobody_accepts_such_a_game() -> None:
    game = store.challenge_computer(host="alice")
    with pytest.raises(NotYours):
        store.move(game, player="bob", square=game.position.empty_squares[0])
    with pytest.raises(NotYours):
        store.accept(game.game_id, player="bob")
    assert stored(game.game_id).opponent_id is None


def test_without_the_order_of_play_another_move_of_ones_own_does_not_pass_for_the_first(playing: StoredMatch) -> None:
    play(playing, "012")
    Game(playing.game_id).update([Game.recorded_moves.remove()])
    old = stored(playing.game_id).match()
    for player, square in (("alice", 3), ("bob", 8), ("alice", 5)):
        store.move(stored(playing.game_id).match(), player=player, square=square)
    with pytest.raises(LostRace):
        store.move(old, player="alice", square=5)
