"""Match alone: transitions without a table."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from games import rules
from games.errors import IllegalMove, NotYours, UnreadableGame
from games.match import PACES, TIE, Entry, Match, Status, StoredMatch
from games.rules import EMPTY, Mark, Outcome, Position, computer
from games.rules.analysis import Mistake

RUNNING = Match(
    game_id="id",
    host="alice",
    opponent_id="bob",
    stored_status=Status.IN_PROGRESS,
    board=EMPTY * 9,
    moves="",
    o_user="alice",
)
PENDING = replace(RUNNING, stored_status=Status.PENDING)
OPEN = replace(PENDING, opponent_id=None)
MOMENT = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
JUST_BEFORE = MOMENT - timedelta.resolution


def after(moves: str, match: Match = RUNNING) -> Match:
    for number, digit in enumerate(moves):
        match = match.played(str(match.player_of(tuple(Mark)[number % 2])), int(digit))
    return match


def test_played_returns_new_match_and_leaves_old_unchanged() -> None:
    moved = RUNNING.played("bob", 4)
    assert (moved.board, moved.moves, RUNNING.board) == ("    X    ", "4", EMPTY * 9)


@pytest.mark.parametrize(
    ("value", "name"),
    [(RUNNING, "board"), (Position(), "board"), (Outcome(None), "winner"), (Mistake(True, True, ()), "better")],
)
def test_values_are_immutable(value: object, name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)


def test_unknown_move_order_stays_unknown() -> None:
    assert replace(after("014"), moves=None).played("alice", 8).moves is None


@pytest.mark.parametrize(
    ("o_user", "x", "o"),
    [
        ("alice", "bob", "alice"),
        ("bob", "alice", "bob"),
        ("", "bob", "alice"),
        ("zoe", "bob", "zoe"),
        ("bob", "zoe", "bob"),
        ("", "bob", "zoe"),
    ],
)
def test_host_plays_o_unless_o_user_is_set(o_user: str, x: str, o: str) -> None:
    match = replace(RUNNING, o_user=o_user, host="zoe" if "zoe" in (x, o) else "alice")
    assert [match.player_of(mark) for mark in Mark] == [x, o]
    assert (match.mark_of(x), match.mark_of(o), match.mark_of("charlie")) == (Mark.X, Mark.O, None)
    assert (match.other_than(x), match.other_than(o)) == (o, x)


@pytest.mark.parametrize(
    ("match", "player", "sentence"),
    [
        (RUNNING, "alice", "It is not your turn."),
        (after("0"), "bob", "It is not your turn."),
        (PENDING, "alice", "Nobody has accepted this invitation yet."),
        (after("03142"), "alice", "This game is over."),
        (replace(RUNNING, stored_status=Status.FINISHED), "bob", "This game is over."),
        (after("03"), "bob", "That square is taken: choose an empty one."),
    ],
)
def test_illegal_move_says_why(match: Match, player: str, sentence: str) -> None:
    with pytest.raises(IllegalMove, match=sentence):
        match.played(player, 3)


def test_outsider_cannot_move_or_resign() -> None:
    for act in (lambda: RUNNING.played("charlie", 0), lambda: RUNNING.resigned("charlie")):
        with pytest.raises(NotYours, match="between two others"):
            act()


@pytest.mark.parametrize(
    ("moves", "result"), [("0314", None), ("03142", "bob"), ("031485", "alice"), ("021354678", TIE)]
)
def test_result_is_winners_name_or_tie(moves: str, result: str | None) -> None:
    match = after(moves)
    assert match.decided == result
    assert (match.status is Status.FINISHED) is (result is not None)


def test_only_open_seat_is_taken_and_not_by_host() -> None:
    for player in ("aaron", "charlie"):
        assert OPEN.taken_by(player).players == ("alice", player)
    for match, player in ((OPEN, "alice"), (PENDING, "charlie"), (RUNNING, "charlie")):
        assert match.taken_by(player) is match


def test_computer_replies_once_and_not_after_the_end() -> None:
    match = replace(RUNNING, opponent_id=None, computer="perfect", o_user="computer")
    replied = match.played("alice", 4).replied()
    assert (len(replied.moves or ""), replied.position.turn) == (2, Mark.X)
    over = replace(match, board="XX OO    ", moves="0314").played("alice", 2)
    assert over.replied() is over
    assert RUNNING.replied() is RUNNING


def always(square: int) -> Callable[[Position], list[int]]:
    return lambda _: [square]


@pytest.mark.parametrize("level", computer.LEVELS)
def test_computer_replies_at_the_games_level(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for square, name in enumerate(computer.LEVELS):
        monkeypatch.setitem(computer.LEVELS, name, always(square))
    match = replace(RUNNING, opponent_id=None, computer=level)
    assert match.replied().moves == str([*computer.LEVELS].index(level))


def test_resigning_makes_opponent_win() -> None:
    assert (RUNNING.resigned("alice"), RUNNING.resigned("bob")) == ("bob", "alice")
    with pytest.raises(IllegalMove, match="has not begun"):
        PENDING.resigned("alice")
    with pytest.raises(IllegalMove, match="over"):
        after("03142").resigned("alice")


def test_computer_opens_unless_the_host_begins() -> None:
    hosts_turn = replace(RUNNING, opponent_id=None, computer="perfect", o_user="computer")
    assert hosts_turn.opened() is hosts_turn
    moves = hosts_turn.opened(4).moves
    assert moves
    assert (len(moves), moves[0]) == (2, "4")
    begun = replace(hosts_turn, o_user="alice").opened()
    assert (len(begun.moves or ""), begun.position.turn) == (1, Mark.O)


def test_only_the_players_latest_square_counts_as_a_repeat() -> None:
    match = after("04")
    assert match.has_just_played("alice", 4)
    for player, square in (("alice", 0), ("bob", 4), ("bob", 0), ("charlie", 4)):
        assert not match.has_just_played(player, square)
    assert not replace(match, moves=None).has_just_played("alice", 4)


@pytest.mark.parametrize(
    ("o_user", "moves", "square"), [("computer", "0415", 1), ("computer", "04152", 2), ("alice", "0415", 5)]
)
def test_repeat_counts_although_the_computer_has_replied(o_user: str, moves: str, square: int) -> None:
    board = [*rules.replay(moves)][-1].board
    match = replace(RUNNING, opponent_id=None, computer="perfect", o_user=o_user, moves=moves, board=board)
    assert [each for each in range(9) if match.has_just_played("alice", each)] == [square]


def test_invitation_is_for_the_opponent_or_for_anybody_else() -> None:
    assert [player for player in ("aaron", "alice", "zoe") if OPEN.invites(player)] == ["aaron", "zoe"]
    for opponent in ("bob", "al"):
        named = replace(PENDING, opponent_id=opponent)
        assert [player for player in ("aaron", "al", "alice", "bob", "zoe") if named.invites(player)] == [opponent]


def test_paces_are_none_five_minutes_and_a_day() -> None:
    assert PACES == {"none": None, "minutes": 5 * 60, "day": 24 * 60 * 60}


@pytest.mark.parametrize("board", ["XX       ", "OO XX    O", "?        "])
def test_impossible_board_is_unreadable(board: str) -> None:
    with pytest.raises(UnreadableGame):
        _ = replace(RUNNING, board=board).position


# Times.


def at_moment(status: Status, **attributes: Any) -> StoredMatch:
    values = {field.name: getattr(RUNNING, field.name) for field in fields(Match)}
    return StoredMatch(**values | {"stored_status": status, "status_date": status.dated(MOMENT)} | attributes)


def test_invitation_is_expired_from_the_second_in_expires_at() -> None:
    game = at_moment(Status.PENDING, expires_at=MOMENT.timestamp())
    assert (game.expired(JUST_BEFORE), game.expired(MOMENT)) == (False, True)
    assert game.expired(MOMENT + timedelta(days=1))
    assert not replace(game, expires_at=None).expired(MOMENT)


def test_player_is_late_from_the_second_of_the_deadline() -> None:
    game = at_moment(Status.IN_PROGRESS, deadline=MOMENT.timestamp())
    assert (game.is_late(JUST_BEFORE), game.is_late(MOMENT)) == (False, True)
    assert game.is_late(MOMENT + timedelta(days=1))
    assert not replace(game, deadline=None).is_late(MOMENT)
    assert not replace(game, stored_status=Status.FINISHED).is_late(MOMENT)


def test_finished_games_have_a_winner_or_are_tied_and_nobodys_turn() -> None:
    running = at_moment(Status.IN_PROGRESS)
    assert (running.whose_turn, running.winner, running.is_tie) == ("bob", None, False)
    assert replace(running, board="X        ").whose_turn == "alice"
    for result, winner in (("alice", "alice"), ("bob", "bob"), ("Xena", "Xena"), (TIE, None)):
        finished = at_moment(Status.FINISHED, turn="bob", stored_result=result)
        assert (finished.whose_turn, finished.winner, finished.is_tie) == (None, winner, result == TIE)


def test_decided_board_needs_settling_until_it_is_stored_as_finished() -> None:
    won = at_moment(Status.IN_PROGRESS, board="XXXOO    ", turn="alice")
    assert (won.needs_settling, won.status, won.whose_turn) == (True, Status.FINISHED, None)
    assert replace(won, stored_status=Status.FINISHED, stored_result="alice").needs_settling
    assert not replace(won, stored_status=Status.FINISHED, stored_result="bob").needs_settling
    assert not at_moment(Status.IN_PROGRESS).needs_settling
    assert not at_moment(Status.PENDING).needs_settling
    assert not at_moment(Status.PENDING, board="XXXOO    ").needs_settling, "nobody has accepted it"


def test_lists_have_no_board_and_trust_the_stored_status() -> None:
    date = Status.FINISHED.dated(MOMENT)
    entry = Entry(game_id="id", host="alice", stored_status=Status.FINISHED, status_date=date)
    assert entry.status is Status.FINISHED


def test_date_of_another_format_is_unknown() -> None:
    assert replace(at_moment(Status.FINISHED), status_date="FINISHED_yesterday").since is None


def test_status_dates_sort_across_midnight_and_are_utc() -> None:
    after = JUST_BEFORE + timedelta(seconds=1)
    moments = [JUST_BEFORE, MOMENT, after, after + timedelta.resolution]
    dates = [Status.FINISHED.dated(moment.astimezone(timezone(timedelta(hours=-7)))) for moment in moments]
    assert dates == [
        "FINISHED_2026-12-31 23:59:58.999999",
        "FINISHED_2026-12-31 23:59:59.000000",
        "FINISHED_2026-12-31 23:59:59.999999",
        "FINISHED_2027-01-01 00:00:00.000000",
    ]
    entries = [Entry(game_id="id", host="alice", stored_status=Status.FINISHED, status_date=date) for date in dates]
    assert [entry.since for entry in entries] == moments
