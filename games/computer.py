"""The computer player: perfect play by looking at every continuation (there are 5,478 positions)."""

from __future__ import annotations

import random
from functools import cache

from games import rules
from games.rules import Position

NAME = "computer"
PERFECT = "perfect"


@cache
def _value(position: Position) -> int:
    """What the position is worth to the player whose turn it is: above 0 wins, the sooner the more."""
    ending = rules.outcome(position)
    if ending:
        # Whoever completed a line has just moved, so the player to move has lost.
        return -1 - len(position.empty_squares) if ending.winner else 0
    return max(-_value(rules.play(position, square)) for square in position.empty_squares)


def reply(position: Position) -> int:
    """A square that no other is better than, one of them at random. The game must not be over."""
    worth = {square: -_value(rules.play(position, square)) for square in position.empty_squares}
    return random.choice([square for square, value in worth.items() if value == max(worth.values())])
