"""What a failed condition means, from the item alone: a repeated move, or a game that has gone on."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from games.match import Match, Status, StoredMatch
from games.storage import conflicts

BEFORE = StoredMatch(
    game_id="id",
    host="alice",
    opponent_id="bob",
    stored_status=Status.IN_PROGRESS,
    status_date="IN_PROGRESS_2026-01-01 00:00:00.000000",
    board="OX       ",
    moves=None,
    turn="bob",
)
OWN = BEFORE.played("bob", 4)


@pytest.mark.parametrize(
    ("board", "holds"),
    [
        ("OX  X    ", True),
        ("OX  X   O", True),  # alice has replied
        ("OX       ", False),  # not stored
        ("OX   X   ", False),  # another move of bob's
        ("OX  XX  O", False),  # and a further one
        (" X  X    ", False),  # alice's mark is gone
        ("OX  O    ", False),
    ],
)
def test_move_without_order_is_held_if_the_player_has_these_marks_and_no_others(board: str, holds: bool) -> None:
    assert conflicts.holds_move(replace(BEFORE, board=board), "bob", OWN) is holds


@pytest.mark.parametrize(
    ("moves", "holds"), [("104", True), ("1048", True), ("10", False), ("105", False), (None, True)]
)
def test_move_with_order_is_held_if_the_moves_begin_with_it(moves: str | None, holds: bool) -> None:
    own: Match = replace(OWN, moves="104")
    assert conflicts.holds_move(replace(BEFORE, board="OX  X    ", moves=moves), "bob", own) is holds


@pytest.mark.parametrize(
    ("changed", "between"),
    [
        ({}, True),
        ({"host": "aaron", "o_user": "aaron"}, False),
        ({"host": "zoe", "o_user": "zoe"}, False),
        ({"o_user": "bob"}, False),
        ({"opponent_id": None, "computer": "perfect"}, False),
    ],
)
def test_move_is_held_only_in_a_game_of_the_same_two(changed: dict[str, str | None], between: bool) -> None:
    assert conflicts.still_between(replace(BEFORE, **changed), BEFORE, "bob") is between  # type: ignore[arg-type]


def test_guest_who_has_claimed_a_name_is_the_same_opponent() -> None:
    before = replace(BEFORE, host="guest-aaaaaa")
    assert conflicts.still_between(replace(before, host="dora"), before, "bob")
    assert not conflicts.still_between(replace(before, host="guest-bbbbbb"), before, "bob")


def test_game_that_has_begun_is_no_expired_invitation() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    begun = replace(BEFORE, by_link=True, expires_at=now.timestamp() - 1)
    assert str(conflicts.refusal(begun, "charlie", now)).startswith("Somebody was faster")
    assert "has expired" in str(conflicts.refusal(replace(begun, stored_status=Status.PENDING), "charlie", now))


def test_resigned_game_was_lost_by_the_player() -> None:
    lost = replace(BEFORE, stored_status=Status.FINISHED, stored_result="alice", ending="resigned")
    assert conflicts.has_resigned(lost, "bob")
    for other, player in ((lost, "alice"), (lost, "charlie"), (replace(lost, ending="late"), "bob")):
        assert not conflicts.has_resigned(other, player)
    assert not conflicts.has_resigned(replace(lost, stored_result="bob"), "bob")


def test_game_goes_on_only_if_something_else_has_changed() -> None:
    assert not conflicts.goes_on(BEFORE, BEFORE, "bob")
    assert conflicts.goes_on(replace(BEFORE, pace=300), BEFORE, "bob")
