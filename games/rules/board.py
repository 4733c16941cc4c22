"""Tic-tac-toe: positions, moves and how a game ends.

Standard library only: no Django, no DynamoDB, no clock. A position is immutable; a move returns the next one. A square
is an index from 0 to 8, in reading order. ``SQUARES`` has their names, which the table's attributes share. X always
moves first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

ROWS, COLUMNS = ("Top", "Middle", "Bottom"), ("Left", "Middle", "Right")
SQUARES = tuple(row + column for row in ROWS for column in COLUMNS)
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
EMPTY = " "


class Malformed(ValueError):
    """A text that isn't a square, a board or a list of moves at all."""


class IllegalMove(ValueError):
    """A well-formed move that the rules do not allow in this position."""


class Mark(StrEnum):
    X = "X"
    O = "O"  # noqa: E741 - the name of the game's second mark

    @property
    def other(self) -> "Mark":
        return Mark.O if self is Mark.X else Mark.X


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a game: ``winner`` is None for a tie; ``squares`` are those of the winning line or lines."""

    winner: Mark | None
    squares: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """Nine of ``X``, ``O`` and space in reading order. Raises Malformed unless there are as many X as O or one more."""

    board: str = EMPTY * 9

    def __post_init__(self) -> None:
        if len(self.board) != 9 or set(self.board) - {*Mark, EMPTY}:
            raise Malformed(f"A board is nine of X, O and space; this is {self.board!r}.")
        if self.board.count(Mark.X) - self.board.count(Mark.O) not in (0, 1):
            raise Malformed("The players move in turn, so a board has as many X as O, or one X more.")

    @property
    def turn(self) -> Mark:
        """The mark to move, by the number of marks; also if the game is over."""
        return Mark.X if self.board.count(Mark.X) == self.board.count(Mark.O) else Mark.O

    @property
    def empty_squares(self) -> tuple[int, ...]:
        return tuple(square for square, mark in enumerate(self.board) if mark == EMPTY)


def square_named(name: str) -> int:
    """Return the index of ``TopLeft`` ... ``BottomRight``. Raises Malformed for anything else."""
    try:
        return SQUARES.index(name)
    except ValueError:
        raise Malformed(f"{name!r:.40} is not a square; the squares are {', '.join(SQUARES)}.") from None


def outcome(position: Position) -> Outcome | None:
    """Return how the game ended, or None if it goes on. A line completed on the ninth square is a win."""
    board = position.board
    won = [line for line in LINES if board[line[0]] != EMPTY and len({board[square] for square in line}) == 1]
    if won:
        return Outcome(Mark(board[won[0][0]]), tuple(sorted({square for line in won for square in line})))
    return None if EMPTY in board else Outcome(winner=None)


def play(position: Position, square: int) -> Position:
    """Return the position after the player to move takes ``square``. Raises IllegalMove."""
    if outcome(position):
        raise IllegalMove("This game is over.")
    if position.board[square] != EMPTY:
        raise IllegalMove("That square is taken: choose an empty one.")
    board = position.board
    return Position(board[:square] + position.turn + board[square + 1 :])


def replay(moves: str) -> Iterator[Position]:
    """Yield the positions of a game given as digits 0 to 8, beginning with the empty board: one more than moves.

    Raises Malformed for anything but digits 0 to 8, IllegalMove if the rules forbid a move.
    """
    position = Position()
    yield position
    for digit in moves:
        if digit not in "012345678":
            raise Malformed(f"Moves are the digits 0 to 8, one for each square; {digit!r} is none.")
        position = play(position, int(digit))
        yield position
