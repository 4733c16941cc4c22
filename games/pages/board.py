"""A drawn board: its cells with their labels for screen readers, and the line through three in a row."""

from collections.abc import Collection
from typing import NamedTuple

from games import rules
from games.rules import EMPTY, Position

SPOKEN = (
    *("top left", "top middle", "top right"),
    *("middle left", "centre", "middle right"),
    *("bottom left", "bottom middle", "bottom right"),
)

_ROWS, _COLUMNS = ("top row", "middle row", "bottom row"), ("left column", "middle column", "right column")
LINES = dict(zip(rules.LINES, (*_ROWS, *_COLUMNS, "diagonal", "diagonal"), strict=True))
HOW = {"last": "last move", "winning": "winning line", "better": "the better move"}


class Cell(NamedTuple):
    """One square of a drawn board. In a replay, ``better`` marks a better choice than the last move."""

    name: str
    label: str
    mark: str
    playable: bool
    last: bool
    winning: bool
    better: bool


def rows(
    position: Position, *, playable: bool = False, last: int | None = None, better: Collection[int] = ()
) -> list[list[Cell]]:
    """Return the board as three rows of three cells. ``playable`` lets the player press the empty ones."""
    ending = rules.outcome(position)
    winning = ending.squares if ending else ()
    cells = []
    for square, mark in enumerate(position.board):
        how = {"last": square == last, "winning": square in winning, "better": square in better}
        said = [SPOKEN[square].capitalize(), mark.strip() or "empty", *(HOW[name] for name in how if how[name])]
        empty = playable and mark == EMPTY
        cells.append(Cell(rules.SQUARES[square], label=", ".join(said), mark=mark.strip(), playable=empty, **how))
    return [cells[start : start + 3] for start in (0, 3, 6)]


class Stroke(NamedTuple):
    """A line through three marks: the digits of its squares, and its SVG path on a drawing 300 wide and 300 high."""

    name: str
    path: str


def strokes(position: Position) -> list[Stroke]:
    """Return the winning line, or both if one move completed two."""
    return [Stroke("".join(map(str, line)), _way(*line)) for line in _won(position)]


def lines_said(position: Position) -> str:
    """Return the winning lines in words; empty if nobody has won."""
    return " and ".join(dict.fromkeys(LINES[line] for line in _won(position)))


def _won(position: Position) -> list[tuple[int, int, int]]:
    ending = rules.outcome(position)
    winning = set(ending.squares if ending else ())
    return [line for line in rules.LINES if winning.issuperset(line)]


def _way(first: int, middle: int, last: int) -> str:
    """Return the SVG path from outside the first square's centre to outside the last one's, bent as if hand-drawn."""
    (y, x), (end_y, end_x) = divmod(first, 3), divmod(last, 3)
    across, down = (end_x - x) // 2, (end_y - y) // 2
    middle_y, middle_x = divmod(middle, 3)
    start = f"{x * 100 + 50 - across * 38} {y * 100 + 50 - down * 38}"
    bend = f"{middle_x * 100 + 50 - down * 5} {middle_y * 100 + 50 + across * 5}"
    return f"M{start}Q{bend} {end_x * 100 + 50 + across * 38} {end_y * 100 + 50 + down * 38}"
