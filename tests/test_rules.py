"""The rules of the game, checked against counts of the whole game tree."""

from collections import Counter
from functools import cache

import pytest

from games import rules
from games.rules import IllegalMove, Malformed, Mark, Outcome, Position


def position_after(moves: str) -> Position:
    return list(rules.replay(moves))[-1]


def reachable(position: Position, seen: set[Position]) -> set[Position]:
    if position not in seen:
        seen.add(position)
        if not rules.outcome(position):
            for square in position.empty_squares:
                reachable(rules.play(position, square), seen)
    return seen


@cache
def games_from(position: Position) -> Counter[Mark | None]:
    """Count the games that continue from a position, by winner."""
    ending = rules.outcome(position)
    if ending:
        return Counter({ending.winner: 1})
    return sum((games_from(rules.play(position, square)) for square in position.empty_squares), Counter())


def test_the_game_tree_has_5478_positions() -> None:
    assert len(reachable(Position(), set())) == 5_478


def test_the_game_tree_has_255168_games() -> None:
    assert games_from(Position()) == {Mark.X: 131_184, Mark.O: 77_904, None: 46_080}


def test_x_moves_first_and_turns_alternate() -> None:
    first = rules.play(Position(), 4)
    assert first == Position("    X    ")
    assert first.turn is Mark.O
    assert rules.play(first, 0) == Position("O   X    ")


@pytest.mark.parametrize("line", rules.LINES)
def test_each_line_wins(line: tuple[int, int, int]) -> None:
    others = [square for square in range(9) if square not in line]
    moves = f"{line[0]}{others[0]}{line[1]}{others[1]}{line[2]}"
    assert rules.outcome(position_after(moves)) == Outcome(Mark.X, line)


def test_win_on_ninth_square_is_not_a_tie() -> None:
    ending = rules.outcome(position_after("031457682"))
    assert ending is not None
    assert ending.winner is Mark.X


def test_outcome_includes_both_lines_of_double_win() -> None:
    double = Position("XXXXOOXOO")
    assert rules.outcome(double) == Outcome(Mark.X, (0, 1, 2, 3, 6))


def test_full_board_without_line_is_a_tie() -> None:
    assert rules.outcome(position_after("021354678")) == Outcome(winner=None)


def test_taken_square_is_illegal() -> None:
    with pytest.raises(IllegalMove, match="taken"):
        rules.play(Position("X        "), 0)


def test_move_after_end_is_illegal() -> None:
    with pytest.raises(IllegalMove, match="over"):
        rules.play(Position("XXXOO    "), 8)


@pytest.mark.parametrize("board", ["", "XO", "X" * 9, "O        ", "XX       ", "x        ", "          "])
def test_invalid_board_is_malformed(board: str) -> None:
    with pytest.raises(Malformed):
        Position(board)


@pytest.mark.parametrize("name", ["", "Result", "topleft", "TopLeft ", "0", "GameId", "\x00"])
def test_unknown_square_name_is_malformed(name: str) -> None:
    with pytest.raises(Malformed, match="square"):
        rules.square_named(name)


@pytest.mark.parametrize(
    ("moves", "error"), [("9", Malformed), ("0x", Malformed), ("00", IllegalMove), ("0314258", IllegalMove)]
)
def test_replay_refuses_invalid_and_illegal_moves(moves: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        list(rules.replay(moves))
