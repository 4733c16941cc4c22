"""The computer at its three levels, against every line of play."""

from collections.abc import Callable, Sequence
from functools import cache

import pytest

from games import rules
from games.rules import Mark, Position, analysis, computer
from games.rules.computer import CARELESS, GOOD, PERFECT


def results(squares: Callable[[Position], Sequence[int]], mark: Mark) -> set[Mark | None]:
    """Every end that there is where ``mark`` takes any of its ``squares``, and the other any that is empty."""

    @cache
    def ends(position: Position) -> frozenset[Mark | None]:
        ending = rules.outcome(position)
        if ending:
            return frozenset({ending.winner})
        choices = squares(position) if position.turn is mark else position.empty_squares
        return frozenset[Mark | None]().union(*(ends(rules.play(position, square)) for square in choices))

    return set(ends(Position()))


@pytest.mark.parametrize("mark", Mark)
def test_perfect_never_loses(mark: Mark) -> None:
    assert results(computer.LEVELS[PERFECT], mark) == {mark, None}


@pytest.mark.parametrize("level", [CARELESS, GOOD])
@pytest.mark.parametrize("mark", Mark)
def test_the_others_can_be_beaten(level: str, mark: Mark) -> None:
    assert results(computer.LEVELS[level], mark) == {mark, mark.other, None}


@pytest.mark.parametrize("level", [GOOD, PERFECT])
@pytest.mark.parametrize(("board", "square"), [("XX OO    ", 2), ("XX O O   ", 2), ("X  OO   X", 5)])
def test_a_line_is_completed_or_stopped(level: str, board: str, square: int) -> None:
    assert {computer.reply(Position(board), level) for _ in range(50)} == {square}


def test_careless_overlooks_them_and_takes_any_square() -> None:
    assert {computer.reply(Position("XX OO    "), CARELESS) for _ in range(500)} == {2, 5, 6, 7, 8}


def test_a_level_of_a_later_version_plays_perfectly() -> None:
    assert {computer.reply(Position("XX OO    "), "sublime") for _ in range(50)} == {2}


@pytest.mark.parametrize(
    ("board", "square", "missed_win", "at_once", "better"),
    [
        ("XX OO    ", 8, True, True, (2,)),  # one square short of a line
        ("X        ", 1, False, False, (4,)),  # against a corner only the centre holds
        ("XO       ", 8, True, False, (3, 4, 6)),
        ("XX  O    ", 8, False, False, (2,)),  # a line is not stopped
    ],
)
def test_what_a_move_gave_away(
    board: str, square: int, missed_win: bool, at_once: bool, better: tuple[int, ...]
) -> None:
    found = analysis.mistake(Position(board), square)
    assert found == analysis.Mistake(missed_win, at_once, better)
    assert all(analysis.mistake(Position(board), each) is None for each in better)


@pytest.mark.parametrize("board", ["XOXOX    ", "X   O   X", " " * 9])
def test_who_has_lost_already_or_plays_safe_gives_nothing_away(board: str) -> None:
    safe = analysis.best(Position(board))
    assert [analysis.mistake(Position(board), square) for square in safe] == [None] * len(safe)
    lost = analysis.value(Position(board)) < 0
    assert lost is (board == "XOXOX    ")
    assert not lost or all(analysis.mistake(Position(board), each) is None for each in Position(board).empty_squares)
