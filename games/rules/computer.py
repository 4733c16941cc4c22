"""The computer player, at three levels."""

import random
from collections.abc import Callable, Sequence

from games.rules import analysis
from games.rules.board import Position

NAME = "computer"
CARELESS, GOOD, PERFECT = "careless", "good", "perfect"


def reply(position: Position, level: str = PERFECT) -> int:
    """Return the square that the computer takes, at random among equally good ones. The game must not be over.

    An unknown level, which a later version may have stored, plays perfectly.
    """
    return random.choice(LEVELS.get(level, analysis.best)(position))


def _careless(position: Position) -> Sequence[int]:
    """Return all empty squares."""
    return position.empty_squares


def _good(position: Position) -> Sequence[int]:
    """Look one move ahead: complete a line, else block one, else any square. Two threats at once beat it."""
    mine, theirs = position.turn, position.turn.other
    return analysis.completing(position, mine) or analysis.completing(position, theirs) or position.empty_squares


LEVELS: dict[str, Callable[[Position], Sequence[int]]] = {CARELESS: _careless, GOOD: _good, PERFECT: analysis.best}
