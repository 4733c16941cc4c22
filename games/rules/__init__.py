"""The game itself: standard library only, no clock, no table.

Another game begins here (CONTRIBUTING.md): ``board`` has the rules, ``analysis`` looks at every continuation, and
``computer`` plays.
"""

from games.rules.board import (
    EMPTY,
    LINES,
    SQUARES,
    IllegalMove,
    Malformed,
    Mark,
    Outcome,
    Position,
    outcome,
    play,
    replay,
    square_named,
)

__all__ = [
    "EMPTY",
    "LINES",
    "SQUARES",
    "IllegalMove",
    "Malformed",
    "Mark",
    "Outcome",
    "Position",
    "outcome",
    "play",
    "replay",
    "square_named",
]
