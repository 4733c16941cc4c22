"""Each transition of a game: what it writes, what it refuses, and what happens when it loses a race."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dynamodb import conditional
from dynamodb.client import shared_client
from dynamodb.conditional import ConditionFailed
from games.errors import IllegalMove, NotFound, NotYours, UnreadableGame
from games.match import Match, Status, StoredMatch
from games.models import Game
from games.storage import queries, store
from games.storage.conflicts import LostRace
from tests.conftest import Clock, stored

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


def test_new_invitation_writes_documented_attributes(pending: StoredMatch) -> None:
    item = stored(pending.game_id)
    assert uuid.UUID(item.game_id).version == 4
    assert (item.host_id, item.opponent_id, item.o_user, item.turn) == ("alice", "bob", "alice", "bob")
    assert item.status_date.startswith("PENDING_20")
    key = {"GameId": {"S": item.game_id}}
    assert shared_client().get_item(TableName=Game.Meta.table_name, Key=key)["Item"]["Moves"] == {"S": ""}
    assert 6.9 < (item.expires_at - datetime.now(UTC).timestamp()) / 86_400 <= 7


def test_open_invitation_has_no_opponent_and_no_turn() -> None:
    item = stored(store.invite(host="alice", opponent=None).game_id)
    assert (item.opponent_id, item.turn, item.by_link) == (None, None, True)


def test_repeated_invite_with_same_id_is_idempotent() -> None:
    game_id = str(uuid.uuid4())
    first = store.invite(host="alice", opponent="bob", game_id=game_id)
    assert store.invite(host="alice", opponent="bob", game_id=game_id).status_date == first.status_date


def test_repeated_open_invite_returns_accepted_game() -> None:
    game_id = str(uuid.uuid4())
    store.invite(host="alice", opponent=None, game_id=game_id)
    store.accept(game_id, player="bob")
    assert store.invite(host="alice", opponent=None, game_id=game_id).opponent_id == "bob"
    with pytest.raises(LostRace, match="sent already"):
        store.invite(host="alice", opponent="bob2", game_id=game_id)


@pytest.mark.parametrize("host", ["guest-a", "charlie"])
def test_accept_and_move_refuse_invitation_replaced_by_another_host(host: str) -> None:
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
def test_accept_and_move_refuse_invitation_reissued_with_swapped_sides(
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


def test_stale_invitation_page_cannot_move_in_game_that_reuses_its_id() -> None:
    shown = store.invite(host="alice", opponent=None)
    store.cancel(shown.game_id, player="alice")
    store.invite(host="bob", opponent=None, game_id=shown.game_id)
    store.accept(shown.game_id, player="charlie")
    with pytest.raises(LostRace, match="moved on"):
        store.move(shown, player="charlie", square=4)
    assert stored(shown.game_id).match().board == " " * 9


@pytest.mark.parametrize("o_user", ["alice", None])
def test_missing_o_user_defaults_to_host(pending: StoredMatch, o_user: str | None) -> None:
    Game(pending.game_id).update([Game.o_user.set(o_user) if o_user else Game.o_user.remove()])
    shown = stored(pending.game_id).match()
    game = store.accept(pending.game_id, player="bob", shown=shown)
    assert play(game, "03142").result == "bob"


def test_move_from_page_without_o_user_is_accepted(pending: StoredMatch) -> None:
    game = store.move(replace(pending, o_user=""), player="bob", square=0)
    assert store.move(replace(game, o_user=""), player="alice", square=4).board == "X   O    "


def test_retry_of_older_move_succeeds_without_second_write(playing: StoredMatch) -> None:
    play(playing, "4083")
    assert store.move(playing, player="bob", square=4).moves == "4083"
    with pytest.raises(LostRace):
        store.move(playing, player="bob", square=8)


def test_invite_with_another_hosts_game_id_is_refused(pending: StoredMatch) -> None:
    with pytest.raises(LostRace):
        store.invite(host="charlie", opponent="bob", game_id=pending.game_id)
    assert stored(pending.game_id).host_id == "alice"


def test_accept_starts_game_and_opponent_moves_first(pending: StoredMatch) -> None:
    game = store.accept(pending.game_id, player="bob")
    assert stored(game.game_id).match() == game
    assert game.status is Status.IN_PROGRESS
    assert game.turn == "bob"
    assert game.expires_at is None


def test_accept_is_idempotent(pending: StoredMatch) -> None:
    first = store.accept(pending.game_id, player="bob")
    assert store.accept(pending.game_id, player="bob").status_date == first.status_date


def test_second_accept_of_open_invitation_loses_race() -> None:
    game = store.invite(host="alice", opponent=None)
    assert store.accept(game.game_id, player="charlie").opponent_id == "charlie"
    with pytest.raises(LostRace, match="faster") as lost:
        store.accept(game.game_id, player="bob")
    assert lost.value.game.opponent_id == "charlie"


@pytest.mark.parametrize("player", ["alice", "charlie"])
def test_only_invited_player_can_accept(pending: StoredMatch, player: str) -> None:
    with pytest.raises(NotYours):
        store.accept(pending.game_id, player=player)
    assert stored(pending.game_id).match().status is Status.PENDING


def test_host_cannot_accept_or_move_in_own_open_invitation() -> None:
    game = store.invite(host="alice", opponent=None)
    with pytest.raises(NotYours, match="your own"):
        store.accept(game.game_id, player="alice")
    with pytest.raises(IllegalMove):
        store.move(game, player="alice", square=0)
    assert stored(game.game_id).match().status is Status.PENDING


def test_expired_invitation_refuses_accept_and_move(pending: StoredMatch) -> None:
    expire(pending)
    with pytest.raises(LostRace, match="expired"):
        store.accept(pending.game_id, player="bob")
    with pytest.raises(LostRace):
        store.move(pending, player="bob", square=0)
    assert stored(pending.game_id).match().status is Status.PENDING


@pytest.mark.parametrize(
    "begin",
    [
        lambda shown: store.move(shown, player="bob", square=0),
        lambda shown: store.accept(shown.game_id, player="bob", shown=shown),
        lambda shown: store.accept(shown.game_id, player="bob"),
    ],
    ids=["move", "accept", "accept by link"],
)
def test_invitation_can_be_accepted_until_the_second_before_it_expires(
    begin: Callable[[Match], StoredMatch], pending: StoredMatch, stop_clock: Clock
) -> None:
    expires_at = stored(pending.game_id).expires_at
    stop_clock(expires_at)
    with pytest.raises(LostRace, match="expired"):
        begin(pending)
    stop_clock(expires_at - 1)
    assert begin(pending).status is Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("host", "player", "days"), [("guest-a", "guest-b", 30), ("guest-a", "bob", 30), ("alice", "guest-b", 30)]
)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_guest_game_expires_in_30_days(host: str, player: str, days: int, named: bool, known: bool) -> None:
    game = store.invite(host=host, opponent=player if named else None)
    store.accept(game.game_id, player=player, shown=game if known else None)
    left = stored(game.game_id).expires_at - datetime.now(UTC).timestamp()
    assert days - 0.1 < left / 86_400 <= days


@pytest.mark.parametrize("host", ["alice", "guest-a"])
@pytest.mark.parametrize("ending", ["resigned", "played", "settled"])
def test_game_against_computer_expires_until_it_is_over(host: str, ending: str) -> None:
    game = store.challenge_computer(host=host, level="careless", host_begins=True)
    assert 29.9 < (float(game.expires_at or 0) - datetime.now(UTC).timestamp()) / 86_400 <= 30
    if ending == "resigned":
        game = store.resign(game, player=host)
    while game.status is not Status.FINISHED:
        game = store.move(game, player=host, square=game.board.index(" "))
    if ending == "settled":
        running = Game.status_date.set(Status.IN_PROGRESS.dated(datetime.now(UTC)))
        Game(game.game_id).update([running, Game.result.remove(), Game.expires_at.set(2_000_000_000)])
        store.settle(stored(game.game_id).match(), datetime.now(UTC))
    assert bool(stored(game.game_id).expires_at) is (host == "guest-a")


def test_first_move_sets_expiry_like_accept() -> None:
    guests = store.invite(host="guest-a", opponent=None)
    assert store.move(guests, player="bob", square=0).expires_at
    kept = store.invite(host="alice", opponent=None)
    assert store.move(kept, player="bob", square=0).expires_at is None


def test_decline_and_cancel_delete_invitation(pending: StoredMatch) -> None:
    store.decline(pending.game_id, player="bob")
    other = store.invite(host="alice", opponent=None)
    store.cancel(other.game_id, player="alice")
    for game in (pending, other):
        with pytest.raises(NotFound):
            queries.game(game.game_id)


@pytest.mark.parametrize(
    ("act", "player"),
    [("decline", "alice"), ("cancel", "bob"), ("decline", "x"), ("cancel", "x"), ("decline", "b"), ("cancel", "a")],
)
def test_only_opponent_declines_and_only_host_cancels(pending: StoredMatch, act: str, player: str) -> None:
    with pytest.raises(NotYours):
        getattr(store, act)(pending.game_id, player=player)
    assert stored(pending.game_id).match().status is Status.PENDING


def test_declined_invitation_leaves_its_answer_for_a_day(pending: StoredMatch) -> None:
    earliest = int(time.time()) + 24 * 60 * 60
    store.decline(pending.game_id, player="bob")
    assert earliest <= (Game.get(pending.game_id).expires_at or 0) <= int(time.time()) + 24 * 60 * 60


@pytest.mark.parametrize(("declined_by", "done"), [("bob", True), ("charlie", False)])
def test_decline_whose_reply_was_lost_is_done(
    pending: StoredMatch, declined_by: str, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(item: Game, *_: object, **__: object) -> None:
        raise ConditionFailed({"GameId": {"S": item.game_id}, "DeclinedBy": {"S": declined_by}}, retried=True)

    monkeypatch.setattr(conditional, "update", lost)
    with nullcontext() if done else pytest.raises(NotFound):
        store.decline(pending.game_id, player="bob")


def test_only_the_host_plays_o_if_the_item_does_not_say() -> None:
    game = store.invite(host="bob", opponent="alice")
    Game(game.game_id).update([Game.o_user.remove()])
    with pytest.raises(LostRace, match="has changed"):
        store.accept(game.game_id, player="alice", shown=replace(game, o_user="alice"))
    assert store.accept(game.game_id, player="alice", shown=game).o_user == "bob"


def test_accepted_invitation_cannot_be_declined_or_cancelled(playing: StoredMatch) -> None:
    for act, player in ((store.decline, "bob"), (store.cancel, "alice")):
        with pytest.raises(LostRace, match="begun"):
            act(playing.game_id, player=player)
    assert stored(playing.game_id).match().status is Status.IN_PROGRESS


@pytest.mark.parametrize("act", [store.accept, store.decline, store.cancel])
def test_unknown_game_id_raises_not_found(act: object) -> None:
    with pytest.raises(NotFound):
        act(str(uuid.uuid4()), player="bob")  # type: ignore[operator]


def test_move_writes_square_turn_and_move_order(playing: StoredMatch) -> None:
    returned = store.move(playing, player="bob", square=4)
    item = stored(playing.game_id)
    assert item.match() == returned
    assert (item.middle_middle, item.turn, item.recorded_moves) == ("X", "alice", "4")
    assert item.status_date == playing.status_date


def test_each_move_and_the_acceptance_say_when_they_were_made(pending: StoredMatch, stop_clock: Clock) -> None:
    assert pending.moved_at is None
    stop_clock(1_700_000_000)
    playing = store.accept(pending.game_id, player="bob")
    for second, (player, square) in enumerate(zip(turns(), "03142", strict=False), start=1_700_000_000):
        assert (playing.moved_at, stored(playing.game_id).moved_at) == (second, second)
        stop_clock(second + 1)
        playing = store.move(playing, player=player, square=int(square))
    assert (playing.status, playing.moved_at) == (Status.FINISHED, 1_700_000_005)
    at_once = store.move(store.invite(host="alice", opponent="bob"), player="bob", square=4)
    assert at_once.moved_at == store.challenge_computer(host="alice").moved_at == 1_700_000_005
    stop_clock(1_700_000_009)
    assert store.resign(at_once, player="bob").moved_at == 1_700_000_005
    assert store.rename(playing, old="bob", new="dora").moved_at == 1_700_000_005


def test_first_move_accepts_invitation(pending: StoredMatch) -> None:
    store.move(pending, player="bob", square=0)
    item = stored(pending.game_id)
    assert (item.match().status, item.top_left, item.turn, item.expires_at) == (Status.IN_PROGRESS, "X", "alice", None)


def test_first_move_in_open_invitation_takes_seat() -> None:
    game = store.invite(host="alice", opponent=None)
    store.move(game, player="bob", square=0)
    with pytest.raises(LostRace, match="faster"):
        store.move(game, player="charlie", square=0)
    assert stored(game.game_id).opponent_id == "bob"


@pytest.mark.parametrize(
    ("moves", "result"), [("03142", "bob"), ("031485", "alice"), ("021354678", "Tie"), ("031457682", "bob")]
)
def test_last_move_finishes_game_in_same_write(playing: StoredMatch, moves: str, result: str) -> None:
    before = play(playing, moves[:-1])
    assert (before.status, before.result) == (Status.IN_PROGRESS, None)
    play_last = "bob" if len(moves) % 2 else "alice"
    store.move(before, player=play_last, square=int(moves[-1]))
    item = stored(playing.game_id)
    assert item.status_date.startswith("FINISHED_20")
    assert item.status_date > playing.status_date.replace("IN_PROGRESS", "FINISHED")
    assert (item.result, item.turn, item.recorded_moves) == (result, "N/A", moves)


def test_illegal_moves_raise_and_write_nothing(playing: StoredMatch) -> None:
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


def test_second_move_on_same_position_loses_race_and_gets_board(playing: StoredMatch) -> None:
    store.move(playing, player="bob", square=4)
    with pytest.raises(LostRace) as lost:
        store.move(playing, player="bob", square=0)
    assert lost.value.game.moves == "4"
    assert stored(playing.game_id).recorded_moves == "4"


def test_position_two_moves_old_is_refused(playing: StoredMatch) -> None:
    play(playing, "40")
    with pytest.raises(LostRace):
        store.move(playing, player="bob", square=8)
    assert stored(playing.game_id).recorded_moves == "40"


def test_retry_after_lost_reply_is_not_a_second_move(playing: StoredMatch) -> None:
    first = store.move(playing, player="bob", square=4)
    assert store.move(playing, player="bob", square=4) == first
    answered = store.move(first, player="alice", square=0)
    assert store.move(playing, player="bob", square=4) == answered


@pytest.mark.parametrize("turn", ["alice", "zoe"])
def test_move_is_refused_when_stored_turn_is_anothers(playing: StoredMatch, turn: str) -> None:
    stored(playing.game_id).update([Game.turn.set(turn)])
    with pytest.raises(UnreadableGame, match="stored turn isn't the one"):
        store.move(playing, player="bob", square=4)


def test_later_move_to_same_square_is_not_mistaken_for_retry(playing: StoredMatch) -> None:
    play(playing, "408")
    with pytest.raises(LostRace):
        store.move(playing, player="bob", square=8)


def test_retry_of_finishing_move_succeeds(playing: StoredMatch) -> None:
    before = play(playing, "0314")
    over = store.move(before, player="bob", square=2)
    assert store.move(before, player="bob", square=2).status_date == over.status_date


def test_position_from_before_id_reuse_is_refused() -> None:
    game_id = str(uuid.uuid4())
    old = store.invite(host="alice", opponent=None, game_id=game_id)
    store.cancel(game_id, player="alice")
    store.invite(host="charlie", opponent=None, game_id=game_id)
    with pytest.raises(LostRace):
        store.move(old, player="bob", square=0)
    assert stored(game_id).match().status is Status.PENDING


def test_move_from_invitation_page_succeeds_after_accept_in_another_tab(pending: StoredMatch) -> None:
    store.accept(pending.game_id, player="bob")
    assert store.move(pending, player="bob", square=4).moves == "4"


def test_move_in_expired_invitation_reports_expiry(pending: StoredMatch) -> None:
    expire(pending)
    with pytest.raises(LostRace, match="expired"):
        store.move(pending, player="bob", square=0)


def test_missing_move_order_is_derived_after_two_moves(playing: StoredMatch) -> None:
    game = play(playing, "40")
    Game(game.game_id).update([Game.recorded_moves.remove()])
    assert stored(game.game_id).match().moves == "40"
    assert play(stored(game.game_id).match(), "8").moves == "408"


def test_move_and_accept_after_cancel_create_no_item(pending: StoredMatch) -> None:
    store.cancel(pending.game_id, player="alice")
    with pytest.raises(NotFound):
        store.move(pending, player="bob", square=0)
    with pytest.raises(NotFound):
        store.accept(pending.game_id, player="bob")
    with pytest.raises(Game.DoesNotExist):
        stored(pending.game_id)


def test_computer_moves_first_and_replies_in_same_write() -> None:
    game = store.challenge_computer(host="alice")
    assert (len(game.moves or ""), game.turn, game.opponent_id) == (1, "alice", None)
    square = game.position.empty_squares[0]
    store.move(game, player="alice", square=square)
    item = stored(game.game_id)
    assert len(item.recorded_moves) == 3
    assert (item.turn, item.match().opponent) == ("alice", "computer")


def test_computer_game_finishes_and_computer_never_loses() -> None:
    game = store.challenge_computer(host="alice")
    while game.status is not Status.FINISHED:
        game = store.move(game, player="alice", square=game.position.empty_squares[-1])
    item = stored(game.game_id)
    assert item.result in ("computer", "Tie")
    assert item.turn == "N/A"


def test_computer_game_refuses_other_players() -> None:
    game = store.challenge_computer(host="alice")
    with pytest.raises(NotYours):
        store.move(game, player="bob", square=game.position.empty_squares[0])
    with pytest.raises(NotYours):
        store.accept(game.game_id, player="bob")
    assert stored(game.game_id).opponent_id is None


def test_own_later_move_is_not_a_retry_when_order_is_unknown(playing: StoredMatch) -> None:
    play(playing, "012")
    Game(playing.game_id).update([Game.recorded_moves.remove()])
    old = stored(playing.game_id).match()
    for player, square in (("alice", 3), ("bob", 8), ("alice", 5)):
        store.move(stored(playing.game_id).match(), player=player, square=square)
    with pytest.raises(LostRace):
        store.move(old, player="alice", square=5)
