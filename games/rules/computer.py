"""The computer player, at three levels."""

import random
from collections.abc import Callable, Sequence

from games.rules import analysis
from games.rules.board import Position

NAME = "computer"
CARELESS, GOOD, PERFECT = "careless", "good", "perfect"


def reply(position: Position, level: str = PERFECT) -> int:
    """The square that the computer takes, by chance where several are as good. The game must not be over.

    A level that is not known, as a later version may store one, plays perfectly.
    """
    return random.choice(LEVELS.get(level, analysis.best)(position))


def _careless(position: Position) -> Sequence[int]:
    """Any square."""
    return position.empty_squares


def _good(position: Position) -> Sequence[int]:
    """Sees one move ahead: completes a line, else stops one, else is careless. Two threats at once beat it."""
    mine, theirs = position.turn, position.turn.other
    return analysis.completing(position, mine) or analysis.completing(position, theirs) or position.empty_squares


LEVELS: dict[str, Callable[[Position], Sequence[int]]] = {CARELESS: _careless, GOOD: _good, PERFECT: analysis.best}
