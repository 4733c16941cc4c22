"""What a position is worth, and what a move gave away: by the rules alone, every continuation looked at.

There are 5,478 positions (``tests/test_rules.py`` counts them), so nothing is estimated.
"""

from dataclasses import dataclass
from functools import cache

from games.rules import board as rules
from games.rules.board import EMPTY, Mark, Position


@cache
def value(position: Position) -> int:
    """What the position is worth to the player whose turn it is: above 0 wins, below 0 loses, the sooner the more."""
    ending = rules.outcome(position)
    if ending:
        sooner = 1 + len(position.empty_squares)
        return 0 if ending.winner is None else sooner if ending.winner is position.turn else -sooner
    return max(values(position).values())


def values(position: Position) -> dict[int, int]:
    """What each empty square is worth to the player whose turn it is. The game must not be over."""
    return {square: -value(rules.play(position, square)) for square in position.empty_squares}


def best(position: Position) -> tuple[int, ...]:
    """The squares that no other is better than."""
    worth = values(position)
    return tuple(square for square in worth if worth[square] == max(worth.values()))


def completing(position: Position, mark: Mark) -> tuple[int, ...]:
    """The empty squares that complete a line of ``mark``, whoever's turn it is."""
    board = position.board
    threats = [
        line for line in rules.LINES if sorted(board[square] for square in line) == sorted(f"{EMPTY}{mark}{mark}")
    ]
    return tuple(square for square in position.empty_squares if any(square in line for line in threats))


@dataclass(frozen=True, slots=True)
class Mistake:
    """A move that gave something away.

    ``missed_win`` tells a won game that is won no more from a safe one that is lost; ``at_once`` whether the win was
    a matter of one square; ``better`` are the squares that would have kept what was there.
    """

    missed_win: bool
    at_once: bool
    better: tuple[int, ...]


def mistake(position: Position, square: int) -> Mistake | None:
    """What taking the square gave away against perfect play; None where it kept a won game won and a safe one safe."""
    worth = values(position)
    before = max(worth.values())
    if _sign(worth[square]) == _sign(before):
        return None
    at_once = completing(position, position.turn)
    kept = tuple(each for each in worth if _sign(worth[each]) == _sign(before))
    return Mistake(missed_win=before > 0, at_once=bool(at_once), better=at_once or kept)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
