"""A drawn board: its cells and what a screen reader says of each, and the line through three in a row."""

from collections.abc import Collection, Iterator
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

_ROWS, _COLUMNS = ("top row", "middle row", "bottom row"), ("left column", "middle column", "right column")
LINES = dict(zip(rules.LINES, (*_ROWS, *_COLUMNS, "diagonal", "diagonal"), strict=True))


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
    cells = []
    for square, mark in enumerate(position.board):
        how = {"last": square == last, "winning": square in winning, "better": square in better}
        label = ", ".join(_said(square, mark, **how))
        empty = playable and mark == EMPTY
        cells.append(Cell(name=rules.SQUARES[square], label=label, mark=mark.strip(), playable=empty, **how))
    return [cells[start : start + 3] for start in (0, 3, 6)]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line drawn through three marks: its squares' digits, and its way over a drawing that is 300 wide and high."""

    name: str
    path: str


def strokes(position: Position) -> list[Stroke]:
    """The winning line, or both of them where one move made two."""
    return [Stroke("".join(map(str, line)), _way(*line)) for line in _won(position)]


def lines_said(position: Position) -> str:
    """The same in words, empty where nobody has won."""
    return " and ".join(dict.fromkeys(LINES[line] for line in _won(position)))


def _won(position: Position) -> list[tuple[int, int, int]]:
    ending = rules.outcome(position)
    winning = set(ending.squares if ending else ())
    return [line for line in rules.LINES if winning.issuperset(line)]


def _way(first: int, middle: int, last: int) -> str:
    """From beyond the first square's middle to beyond the last one's, slightly bent, as a hand draws it."""
    (y, x), (end_y, end_x) = divmod(first, 3), divmod(last, 3)
    across, down = (end_x - x) // 2, (end_y - y) // 2
    middle_y, middle_x = divmod(middle, 3)
    start = f"{x * 100 + 50 - across * 38} {y * 100 + 50 - down * 38}"
    bend = f"{middle_x * 100 + 50 - down * 5} {middle_y * 100 + 50 + across * 5}"
    return f"M{start}Q{bend} {end_x * 100 + 50 + across * 38} {end_y * 100 + 50 + down * 38}"


def _said(square: int, mark: str, *, last: bool, winning: bool, better: bool) -> Iterator[str]:
    yield SPOKEN[square].capitalize()
    yield "empty" if mark == EMPTY else mark
    if last:
        yield "last move"
    if winning:
        yield "winning line"
    if better:
        yield "the better move"
