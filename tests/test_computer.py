"""The computer at its three levels, against all possible play."""

from collections.abc import Callable, Sequence
from functools import cache

import pytest

from games import rules
from games.rules import Mark, Position, analysis, computer
from games.rules.computer import CARELESS, GOOD, PERFECT


def results(squares: Callable[[Position], Sequence[int]], mark: Mark) -> set[Mark | None]:
    """Return every possible winner when ``mark`` plays any of its ``squares`` and the opponent any empty square."""

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
def test_other_levels_can_be_beaten(level: str, mark: Mark) -> None:
    assert results(computer.LEVELS[level], mark) == {mark, mark.other, None}


@pytest.mark.parametrize("level", [GOOD, PERFECT])
@pytest.mark.parametrize(("board", "square"), [("XX OO    ", 2), ("XX O O   ", 2), ("X  OO   X", 5)])
def test_good_and_perfect_complete_or_block_lines(level: str, board: str, square: int) -> None:
    assert {computer.reply(Position(board), level) for _ in range(50)} == {square}


def test_careless_plays_any_empty_square() -> None:
    assert {computer.reply(Position("XX OO    "), CARELESS) for _ in range(500)} == {2, 5, 6, 7, 8}


def test_unknown_level_plays_perfectly() -> None:
    assert {computer.reply(Position("XX OO    "), "sublime") for _ in range(50)} == {2}


@cache
def searched(position: Position, mark: Mark) -> int:
    """Return what ``mark`` gets if both play perfectly: for a win 1 and the squares left, the opposite for a loss."""
    ending = rules.outcome(position)
    if ending:
        sign = {mark: 1, mark.other: -1, None: 0}[ending.winner]
        return sign * (1 + position.board.count(" "))
    choose = max if position.turn is mark else min
    return choose(searched(rules.play(position, square), mark) for square in position.empty_squares)


@pytest.mark.parametrize(
    "board", [" " * 9, "X        ", "XO       ", "X   O    ", "XX  O    ", "XX OO   X", "XXXOO    "]
)
def test_value_prefers_sooner_wins_and_later_losses(board: str) -> None:
    position = Position(board)
    assert analysis.value(position) == searched(position, position.turn)
    if not rules.outcome(position):
        expected = {square: searched(rules.play(position, square), position.turn) for square in position.empty_squares}
        assert analysis.values(position) == expected
        assert analysis.best(position) == tuple(s for s in expected if expected[s] == max(expected.values()))


def test_completing_squares_end_the_game() -> None:
    assert analysis.completing(Position("XX OO    "), Mark.X) == (2,)
    assert analysis.completing(Position("XX OO    "), Mark.O) == (5,)
    assert analysis.completing(Position("XOXO X   "), Mark.X) == (8,)
    assert analysis.completing(Position("X OXO    "), Mark.O) == (6,)
    assert analysis.completing(Position("X   O   X"), Mark.X) == ()


@pytest.mark.parametrize(
    ("board", "square", "missed_win", "at_once", "better"),
    [
        ("XX OO    ", 8, True, True, (2,)),  # one square short of a line
        ("X        ", 1, False, False, (4,)),  # only the centre answers a corner
        ("XO       ", 8, True, False, (3, 4, 6)),
        ("XX  O    ", 8, False, False, (2,)),  # doesn't block a line
        (" X X OOOX", 2, True, False, (0,)),  # misses the win on the ninth square
        (" XO  XXO ", 8, False, False, (0, 3, 4)),  # loses on the ninth square
    ],
)
def test_mistake_names_missed_result_and_better_squares(
    board: str, square: int, missed_win: bool, at_once: bool, better: tuple[int, ...]
) -> None:
    found = analysis.mistake(Position(board), square)
    assert found == analysis.Mistake(missed_win, at_once, better)
    assert all(analysis.mistake(Position(board), each) is None for each in better)


@pytest.mark.parametrize("board", ["XOXOX    ", "X   O   X", " " * 9])
def test_safe_or_already_lost_moves_are_no_mistakes(board: str) -> None:
    safe = analysis.best(Position(board))
    assert [analysis.mistake(Position(board), square) for square in safe] == [None] * len(safe)
    lost = analysis.value(Position(board)) < 0
    assert lost is (board == "XOXOX    ")
    assert not lost or all(analysis.mistake(Position(board), each) is None for each in Position(board).empty_squares)
