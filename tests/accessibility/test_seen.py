"""Visual aspects: the winning line, animation, forced colours."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.accessibility.boards import square
from tests.support.stages import Stage

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]


def shown(page: Page) -> Any:
    """Return the computed style of the winning line."""
    return page.locator(".stroke").first.evaluate(
        """(stroke) => {
          const { stroke: colour, strokeWidth, animationName } = getComputedStyle(stroke);
          const { width } = stroke.getBoundingClientRect();
          return { colour, drawn: width > 100 && parseFloat(strokeWidth) > 3, animationName };
        }"""
    )


def test_winning_line_is_drawn_over_its_squares(
    all_stages: dict[str, Stage], site: str, context: BrowserContext
) -> None:
    page = all_stages["won"].enter(site, context)
    expect(page.locator(".line-012")).to_have_count(1)
    line = page.locator(".line-012").bounding_box()
    assert line
    for number in range(3):
        box = square(page, number).bounding_box()
        assert box
        assert line["x"] < box["x"] + box["width"] / 2 < line["x"] + line["width"]
        assert box["y"] < line["y"] < box["y"] + box["height"]


def test_both_lines_of_double_win_are_drawn(all_stages: dict[str, Stage], site: str, context: BrowserContext) -> None:
    page = all_stages["won twice"].enter(site, context)
    expect(page.locator(".line-012")).to_have_count(1)
    expect(page.locator(".line-048")).to_have_count(1)
    expect(page.locator(".stroke")).to_have_count(2)


def test_animation_respects_reduced_motion(all_stages: dict[str, Stage], site: str, context: BrowserContext) -> None:
    page = all_stages["won"].enter(site, context)
    assert shown(page)["animationName"] == "none"
    assert page.evaluate("document.getAnimations().length") == 0
    page.emulate_media(reduced_motion="no-preference")
    assert shown(page)["animationName"] == "draw"
    assert page.locator(".last .drawn").evaluate("mark => getComputedStyle(mark).animationName") == "draw"
    assert page.locator("td:not(.last) .drawn").first.evaluate("mark => getComputedStyle(mark).animationName") == "none"


def test_last_move_is_underlined_unless_the_winning_line_is_there(
    all_stages: dict[str, Stage], site: str, context: BrowserContext
) -> None:
    underline = """(cell) => {
      const { content, backgroundColor } = getComputedStyle(cell, "::after");
      return content === "none" ? null : backgroundColor === getComputedStyle(cell.querySelector(".drawn")).color;
    }"""
    for name, expected in (("waiting", True), ("tied", True), ("won", None)):
        assert all_stages[name].enter(site, context).locator(".last").evaluate(underline) is expected


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_and_line_are_visible_in_forced_colours(
    all_stages: dict[str, Stage], site: str, context: BrowserContext, scheme: Any
) -> None:
    page = all_stages["won"].enter(site, context)
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    behind = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    mark = page.locator(".drawn").first.evaluate("mark => getComputedStyle(mark).stroke")
    assert shown(page)["drawn"]
    highlight = page.evaluate("document.body.style.color = 'Highlight', getComputedStyle(document.body).color")
    assert shown(page)["colour"] == highlight
    assert len({behind, mark, highlight}) == 3
    assert page.locator(".winning").first.evaluate("cell => getComputedStyle(cell).outlineStyle") == "solid"
