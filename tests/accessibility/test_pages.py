"""Every page in every state: axe-core's rules, small screens, and touch targets."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.engines import free_port
from tests.support.sites import gunicorn
from tests.support.stages import STAGES, Stage

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]

# WCAG 2.2 AA, and axe's best practices.
RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
FINGER = 44
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
# Touch targets. Links within a sentence have the line's height and are exempt.
ACTING = "button, summary, a.button, nav a, .games a, .moves a, .brand, .who a, .choice label, input:not([type=hidden])"


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("name", STAGES)
def test_every_page_passes_axe_in_light_and_dark(
    all_stages: dict[str, Stage], site: str, context: BrowserContext, name: str
) -> None:
    page = all_stages[name].enter(site, context)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme


def test_unconfigured_sites_page_passes_axe(engine: str, context: BrowserContext) -> None:
    with gunicorn(free_port(), CONFIG_FILE="") as (address, _):
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("heading", name="Almost there")).to_be_visible()
        assert violations(page) == []
        assert too_wide(page) == []


@pytest.mark.parametrize("name", STAGES)
def test_every_page_fits_320_px_with_large_targets(
    all_stages: dict[str, Stage], site: str, context: BrowserContext, name: str
) -> None:
    """320 pixels are also the width of 1280 at 400 % zoom."""
    page = all_stages[name].enter(site, context)
    page.set_viewport_size({"width": 320, "height": 640})
    assert too_wide(page) == []
    assert too_small(page) == []


@pytest.mark.parametrize("size", [(320, 256), (640, 360)])
@pytest.mark.parametrize("name", ["welcome", "own turn"])
def test_magnified_boards_buttons_fill_their_squares(
    all_stages: dict[str, Stage], site: str, context: BrowserContext, name: str, size: tuple[int, int]
) -> None:
    """At 400 % of 1280 by 1024 and 200 % of 1280 by 720, each button fills its own square and is at least 44 px."""
    page = all_stages[name].enter(site, context)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    buttons = page.locator(".board button").all()
    assert buttons
    for button in buttons:
        inner, outer = button.bounding_box(), button.locator("xpath=..").bounding_box()
        assert inner
        assert inner == outer
        assert min(inner["width"], inner["height"]) >= FINGER


def too_wide(page: Page) -> list[str]:
    """Return the elements that are cut off at the right, or a note if the page scrolls sideways."""
    page.set_viewport_size({"width": 320, "height": 640})
    wide: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((element) => element.checkVisibility() && !element.closest(".unseen, .skip"))
          .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
          .map((element) => element.outerHTML.slice(0, 100))"""
    )
    scrolls = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return wide or (["the page scrolls sideways"] if scrolls else [])


def too_small(page: Page) -> list[str]:
    """Return the touch targets that are too small. Radio buttons don't count: their labels do."""
    small: list[str] = page.evaluate(
        """([acting, finger]) => [...document.querySelectorAll(acting)]
          .filter((element) => element.checkVisibility() && element.type !== "radio")
          .filter((element) => {
            const { width, height } = element.getBoundingClientRect();
            return width < finger - 0.5 || height < finger - 0.5;
          })
          .map((element) => element.outerHTML.slice(0, 100))""",
        [ACTING, FINGER],
    )
    return small
