"""The value of a position and the mistakes of a move, from the rules alone, by searching all continuations.

There are only 5,478 positions (``tests/test_rules.py`` counts them), so nothing is estimated.
"""

from dataclasses import dataclass
from functools import cache

from games.rules import board as rules
from games.rules.board import EMPTY, Mark, Position


@cache
def value(position: Position) -> int:
    """Return the position's value to the player to move: above 0 wins, below 0 loses, further from 0 if sooner."""
    ending = rules.outcome(position)
    if ending:
        sooner = 1 + len(position.empty_squares)
        return 0 if ending.winner is None else sooner if ending.winner is position.turn else -sooner
    return max(values(position).values())


def values(position: Position) -> dict[int, int]:
    """Return the value of each empty square for the player to move. The game must not be over."""
    return {square: -value(rules.play(position, square)) for square in position.empty_squares}


def best(position: Position) -> tuple[int, ...]:
    """Return the squares with the highest value."""
    worth = values(position)
    return tuple(square for square in worth if worth[square] == max(worth.values()))


def completing(position: Position, mark: Mark) -> tuple[int, ...]:
    """Return the empty squares that complete a line of ``mark``, regardless of the turn."""
    board = position.board
    threats = [
        line for line in rules.LINES if sorted(board[square] for square in line) == sorted(f"{EMPTY}{mark}{mark}")
    ]
    return tuple(square for square in position.empty_squares if any(square in line for line in threats))


@dataclass(frozen=True, slots=True)
class Mistake:
    """A move that gave something away.

    ``missed_win`` is True if a won game was no longer won, False if a safe game was now lost; ``at_once`` is whether
    one square would have won; ``better`` are the squares that would have kept the win or the safe game.
    """

    missed_win: bool
    at_once: bool
    better: tuple[int, ...]


def mistake(position: Position, square: int) -> Mistake | None:
    """Return what the move gave away against perfect play; None if a won game stays won, and a safe one safe."""
    worth = values(position)
    before = max(worth.values())
    if _sign(worth[square]) == _sign(before):
        return None
    at_once = completing(position, position.turn)
    kept = tuple(each for each in worth if _sign(worth[each]) == _sign(before))
    return Mistake(missed_win=before > 0, at_once=bool(at_once), better=at_once or kept)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
