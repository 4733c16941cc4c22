"""Position and size of elements in each engine: a page that works can still be unusable."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.conftest import PASSWORD
from tests.support import stages
from tests.support.engines import free_port
from tests.support.sites import gunicorn
from tests.support.stages import STAGES, Stage
from tests.three_engines.conftest import Open
from tests.three_engines.drivers import NAMES
from tests.three_engines.people import Person
from tests.three_engines.shots import Box, boxes, colour_of, coloured, shot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session"),
    pytest.mark.parametrize("name", NAMES),
]

WIDTHS = (320, 390, 1280)
HEIGHT = 1200
FINGER = 44
# A new board, one in play, a full one, and one that marks a better square.
BOARDS = ("welcome", "own turn", "won twice", "replay with a mistake")

DOUBLED = """
const root = document.documentElement;
root.style.fontSize = `${2 * parseFloat(getComputedStyle(root).fontSize)}px`;
"""
TOO_WIDE = """
const { clientWidth, scrollWidth } = document.documentElement;
const outside = [...document.querySelectorAll("body *")]
  .filter((element) => element.checkVisibility() && !element.closest(".unseen, .skip, svg *"))
  .filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    return left < -0.5 || right > clientWidth + 0.5;
  })
  .map((element) => element.outerHTML.slice(0, 100));
return scrollWidth > clientWidth ? [`${scrollWidth} pixels in ${clientWidth}`, ...outside] : outside;
"""


def _claim_badly(person: Person) -> None:
    person.type("[name=username]", "!")
    person.type("[name=password]", "short")
    person.click('button[formaction$="/signup/"]')
    person.find("[name=username][aria-invalid]")


def _invite_badly(person: Person) -> None:
    person.type("[name=opponent][required]", "!")
    person.click("form:has([name=opponent][required]) button:not([type])")
    person.find("[name=opponent][aria-invalid]")


def _open_menu(person: Person) -> None:
    person.click(".who > summary")
    person.click(".who details > summary")


def _change_password_badly(person: Person) -> None:
    person.type("form[action$='/password/'] [name=password]", PASSWORD)
    person.type("[name=new]", "short")
    person.click("form[action$='/password/'] button")
    person.find("main section [role=alert]")


# What to do on a page before checking it, as in tests/support/stages.py.
ACTS: dict[str, Callable[[Person], None]] = {
    "claim with errors": _claim_badly,
    "account with errors": _change_password_badly,
    "new game with errors": _invite_badly,
    "own turn, resigning": lambda person: person.click("#ask"),
    "guest's menu": _open_menu,
}


@pytest.fixture(scope="module")
def all_stages(site: str) -> dict[str, Stage]:
    assert set(ACTS) == set(stages.ACTS)
    return stages.stages()


def enter(person: Person, all_stages: dict[str, Stage], stage: str) -> None:
    person.become(all_stages[stage].player)
    person.visit(all_stages[stage].path)
    if stage in ACTS:
        ACTS[stage](person)


def widen(person: Person, width: int) -> None:
    person.browser.resize(width, HEIGHT)
    person.until(lambda: person.run("return innerWidth") == width, f"a width of {width}")


# Boards.


@pytest.mark.parametrize("stage", BOARDS)
def test_squares_are_square_and_fill_sheet(at: Open, all_stages: dict[str, Stage], name: str, stage: str) -> None:
    person = at(name)
    enter(person, all_stages, stage)
    for width in WIDTHS:
        widen(person, width)
        squares = boxes(person, ".board td")
        for square in squares:
            assert abs(square.width - square.height) <= 1, width
            assert square.width >= FINGER, width
        assert all(left.right <= right.x + 1 for left, right in pairwise(squares[:3]))
        around = Box(squares[0].x, squares[0].y, squares[8].right - squares[0].x, squares[8].bottom - squares[0].y)
        (sheet,) = boxes(person, ".sheet")
        margin = around.x - sheet.x
        assert 0 < margin <= 20, width
        assert around.grown(margin).near(sheet, 2), width
        buttons, cells = boxes(person, ".board button"), boxes(person, ".board td:has(button)")
        assert buttons or stage != "welcome"
        for button, cell in zip(buttons, cells, strict=True):
            assert (button.width, button.height) == pytest.approx((cell.width, cell.height), abs=1), width


@pytest.mark.parametrize("stage", BOARDS[:2])
def test_ruled_lines_end_within_board(at: Open, all_stages: dict[str, Stage], name: str, stage: str) -> None:
    """Checked by a screenshot's pixels. The lines leave a thirtieth of the board free at each end."""
    person = at(name)
    enter(person, all_stages, stage)
    colour = colour_of(person, ".lines")
    for width in WIDTHS:
        widen(person, width)
        (board,), (sheet,) = boxes(person, ".board"), boxes(person, ".sheet")
        (lines,) = boxes(person, ".lines")
        assert lines.near(board), width

        def drawn(board: Box = board, sheet: Box = sheet) -> bool:
            found = coloured(shot(person), colour, sheet.grown(4))
            return found is not None and found.within(board) and found.width > board.width * 0.9 < found.height + 1

        person.until(drawn, f"ruled lines within the board at {width}")


@pytest.mark.parametrize("stage", BOARDS[1:])
def test_marks_fill_half_their_square(at: Open, all_stages: dict[str, Stage], name: str, stage: str) -> None:
    """Checked by a screenshot's pixels: each mark is more than half as wide and high as its square."""
    person = at(name)
    enter(person, all_stages, stage)
    colours = {mark: colour_of(person, f".board .mark-{mark}") for mark in "XO"}
    for width in WIDTHS:
        widen(person, width)
        marks = [
            (mark, square) for mark, square in zip(person.board, boxes(person, ".board td"), strict=True) if mark != "-"
        ]
        assert len(marks) > 1

        def seen(marks: list[tuple[str, Box]] = marks) -> bool:
            picture = shot(person)
            found = [(coloured(picture, colours[mark], square), square) for mark, square in marks]
            return all(mark and min(mark.width, mark.height) > square.width / 2 for mark, square in found)

        person.until(seen, f"marks to be seen at {width}")


# Pages.


def overflowing(person: Person) -> dict[str, list[str]]:
    """Return the elements that overflow horizontally, by width, with normal and with doubled text."""
    found = {}
    for width in WIDTHS:
        widen(person, width)
        found[f"{width}"] = person.run(TOO_WIDE)
        person.run(DOUBLED)
        found[f"{width}, doubled by script"] = person.run(TOO_WIDE)
        person.run("document.documentElement.style.fontSize = ''")
    return {where: what for where, what in found.items() if what}


@pytest.mark.parametrize("stage", STAGES)
def test_no_page_overflows_horizontally(at: Open, all_stages: dict[str, Stage], name: str, stage: str) -> None:
    """At each width, with normal text, doubled text, and twice the browser's default font size."""
    person = at(name)
    enter(person, all_stages, stage)
    assert overflowing(person) == {}
    person = at(name, font_size=32)
    enter(person, all_stages, stage)
    for width in WIDTHS:
        widen(person, width)
        assert person.run(TOO_WIDE) == [], width


def test_unconfigured_sites_page_does_not_overflow_horizontally(at: Open, engine: str, name: str) -> None:
    with gunicorn(free_port(), CONFIG_FILE="") as (address, _):
        person = at(name)
        person.driver.get(address)
        assert overflowing(person) == {}


@pytest.mark.parametrize("stage", ["new game", "player", "lobby"])
def test_cards_stay_in_aligned_columns(at: Open, all_stages: dict[str, Stage], name: str, stage: str) -> None:
    """All columns start at the same height: in WebKit's CSS columns a card's shadow pushed the next column down."""
    person = at(name)
    enter(person, all_stages, stage)
    for width in WIDTHS:
        widen(person, width)
        cards = boxes(person, ".shelf > .card, #lobby > .card")
        for number, card in enumerate(cards):
            for other in cards[number + 1 :]:
                assert card.right <= other.x or card.bottom <= other.y or other.right <= card.x, (width, card, other)
        columns = {round(card.x): min(other.y for other in cards if round(other.x) == round(card.x)) for card in cards}
        assert len(columns) == (2 if width > 1000 else 1)
        assert max(columns.values()) - min(columns.values()) <= 1, width


def test_names_and_questions_are_underlined(at: Open, all_stages: dict[str, Stage], name: str) -> None:
    person = at(name)
    enter(person, all_stages, "own turn")
    for selector in (".players .me", "summary"):
        style = "return getComputedStyle(document.querySelector(arguments[0])).textDecorationLine"
        assert person.run(style, selector) == "underline", selector
    thickness = "return getComputedStyle(document.querySelector('.players .me')).textDecorationThickness"
    assert person.run(thickness) == "2px"
