"""A drawn board: its cells and what a screen reader says of each, and the line through three in a row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from games import rules
from games.rules import EMPTY, Position

SPOKEN = (
    "top left",
    "top middle",
    "top right",
    "middle left",
    "centre",
    "middle right",
    "bottom left",
    "bottom middle",
    "bottom right",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of a drawn board. ``better`` than the last move it was in a replay."""

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
    """The board as three rows of three cells; ``playable`` makes the empty ones so."""
    ending = rules.outcome(position)
    winning = ending.squares if ending else ()
    cells = [
        Cell(
            name=rules.SQUARES[square],
            label=f"{SPOKEN[square].capitalize()}, {_content(mark, better=square in better)}",
            mark=mark.strip(),
            playable=playable and mark == EMPTY,
            last=square == last,
            winning=square in winning,
            better=square in better,
        )
        for square, mark in enumerate(position.board)
    ]
    return [cells[start : start + 3] for start in (0, 3, 6)]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line drawn through three marks: its squares' digits, and its way over a drawing that is 300 wide and high."""

    name: str
    path: str


def strokes(position: Position) -> list[Stroke]:
    """The winning line, or both of them where one move made two."""
    ending = rules.outcome(position)
    winning = set(ending.squares if ending else ())
    return [Stroke("".join(map(str, line)), _way(*line)) for line in rules.LINES if winning.issuperset(line)]


def _way(first: int, middle: int, last: int) -> str:
    """From beyond the first square's middle to beyond the last one's, slightly bent, as a hand draws it."""
    (y, x), (end_y, end_x) = divmod(first, 3), divmod(last, 3)
    across, down = (end_x - x) // 2, (end_y - y) // 2
    middle_y, middle_x = divmod(middle, 3)
    start = f"{x * 100 + 50 - across * 38} {y * 100 + 50 - down * 38}"
    bend = f"{middle_x * 100 + 50 - down * 5} {middle_y * 100 + 50 + across * 5}"
    return f"M{start}Q{bend} {end_x * 100 + 50 + across * 38} {end_y * 100 + 50 + down * 38}"


def _content(mark: str, *, better: bool) -> str:
    if better:
        return "empty, the better move"
    return "empty" if mark == EMPTY else mark
