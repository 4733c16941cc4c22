"""Whoever plays, and whatever with: axe-core's rules, the keyboard, small screens, large letters, less motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect

from games import rules
from games.models import Game
from games.table import TableItem
from tests.browsers import ARGUMENTS, CHROMIUM
from tests.conftest import use
from tests.engines import free_port
from tests.sites import gunicorn, playing
from tests.stages import STAGES, Stage, game_after, log_in, move, stages

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]

# WCAG 2.2 AA, and what axe's authors hold to be good practice besides.
RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
FINGER = 44
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
# What acts: links within a sentence have its height, and are exempt.
ACTING = "button, summary, a.button, nav a, .games a, .moves a, .brand, .who a, .choice label, input:not([type=hidden])"
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as running:
        yield running


@pytest.fixture(scope="module")
def site(engine: str) -> Iterator[str]:
    use(engine)
    with playing("--endpoint", engine) as (address, _):
        yield address.rstrip("/")
    for item in list(TableItem.scan()):
        item.delete()


@pytest.fixture(scope="module")
def all_stages(site: str) -> dict[str, Stage]:
    return stages()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of somebody's own, who wants no motion: what is looked at stands still."""
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(10_000)
    errors: list[str] = []
    context.on("weberror", lambda found: errors.append(str(found.error)))
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def game(site: str) -> Game:
    return game_after("")


@pytest.fixture
def enter(site: str, context: BrowserContext) -> Open:
    """The page of a game as a player sees it, kept up to date."""

    def opened(game: Game, player: str) -> Page:
        log_in(context, player, site)
        page = context.new_page()
        page.goto(f"{site}/games/{game.game_id}/")
        expect(page.locator("#connection")).to_have_text("Live")
        return page

    return opened


def square(page: Page, number: int) -> Locator:
    return page.locator(f'[data-square="{rules.SQUARES[number]}"]')


def focused(page: Page) -> Any:
    """The square that has the keyboard, as its number, or None."""
    name = page.evaluate("document.activeElement.closest('.board td')?.dataset.square")
    return name and rules.SQUARES.index(name)


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


# Every page.


@pytest.mark.parametrize("name", STAGES)
def test_no_page_breaks_a_rule_in_light_or_dark(
    all_stages: dict[str, Stage], site: str, context: BrowserContext, name: str
) -> None:
    page = all_stages[name].enter(site, context)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme


def test_the_page_of_a_site_that_is_not_set_up_breaks_no_rule(engine: str, context: BrowserContext) -> None:
    with gunicorn(free_port(), CONFIG_FILE="") as (address, _):
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("heading", name="Almost there")).to_be_visible()
        assert violations(page) == []
        assert too_wide(page) == []


@pytest.mark.parametrize("name", STAGES)
def test_every_page_fits_a_small_screen_and_a_finger(
    all_stages: dict[str, Stage], site: str, context: BrowserContext, name: str
) -> None:
    """320 pixels are also what 1280 have room for at 400 %."""
    page = all_stages[name].enter(site, context)
    page.set_viewport_size({"width": 320, "height": 640})
    assert too_wide(page) == []
    assert too_small(page) == []


def too_wide(page: Page) -> list[str]:
    """What is cut off at the right, or makes the page scroll sideways."""
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
    """What acts and is smaller than a finger; a radio button has its label's size."""
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


# The board.


def test_a_board_is_a_grid_whose_squares_say_what_is_in_them(enter: Open, game: Game) -> None:
    move(game, 4)
    move(game, 0)
    board = enter(game, "bob").get_by_role("grid")
    expect(board).to_match_aria_snapshot("""
      - grid "Board, your turn":
        - rowgroup:
          - row:
            - gridcell "Top left, O, last move":
              - img "Top left, O, last move"
            - gridcell "Top middle, empty":
              - button "Top middle, empty"
            - gridcell "Top right, empty":
              - button "Top right, empty"
          - row:
            - gridcell "Middle left, empty":
              - button "Middle left, empty"
            - gridcell "Centre, X":
              - img "Centre, X"
            - gridcell "Middle right, empty":
              - button "Middle right, empty"
          - row:
            - gridcell "Bottom left, empty":
              - button "Bottom left, empty"
            - gridcell "Bottom middle, empty":
              - button "Bottom middle, empty"
            - gridcell "Bottom right, empty":
              - button "Bottom right, empty"
    """)


def test_without_scripts_a_board_is_a_table_of_buttons(site: str, browser: Browser, game: Game) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        log_in(context, "bob", site)
        page = context.new_page()
        page.goto(f"{site}/games/{game.game_id}/")
        board = page.get_by_role("table", name="Board, your turn")
        expect(board.get_by_role("button")).to_have_count(9)
        board.get_by_role("button", name="Centre, empty").click()
        expect(page.get_by_role("img", name="Centre, X")).to_be_visible()


def test_the_keys_lead_over_the_board(enter: Open, game: Game) -> None:
    page = enter(game, "bob")
    page.locator("summary").focus()
    page.keyboard.press("Shift+Tab")
    assert focused(page) == 0
    way = {"ArrowRight": 1, "ArrowDown": 4, "End": 5, "ArrowLeft": 4, "Home": 3, "Control+End": 8, "Control+Home": 0}
    for key, place in way.items():
        page.keyboard.press(key)
        assert focused(page) == place, key
    for place, digit in enumerate((7, 8, 9, 4, 5, 6, 1, 2, 3)):
        page.keyboard.press(f"Numpad{digit}")
        assert focused(page) == place, digit
    for corner, edges in {8: ("ArrowRight", "ArrowDown"), 2: ("ArrowRight", "ArrowUp"), 6: ("ArrowLeft",)}.items():
        page.keyboard.press(f"Numpad{(7, 8, 9, 4, 5, 6, 1, 2, 3)[corner]}")
        for edge in edges:  # leads nowhere else
            page.keyboard.press(edge)
            assert focused(page) == corner, edge
    page.keyboard.press("Tab")
    assert focused(page) is None  # the board is one stop
    page.keyboard.press("Shift+Tab")
    assert focused(page) == 6


def test_a_game_by_keyboard_alone(enter: Open, game: Game) -> None:
    page = enter(game, "bob")
    while focused(page) is None:
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(square(page, 0)).to_have_text("X")
    expect(square(page, 0)).to_be_focused()
    move(game, 3)
    expect(page.locator(".headline")).to_have_text("Your turn: you play X.")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(square(page, 1)).to_have_text("X")
    page.keyboard.press("Numpad4")  # O's: it can be read, and pressing it does nothing
    expect(square(page, 3)).to_be_focused()
    move(game, 4)
    expect(page.locator(".headline")).to_have_text("Your turn: you play X.")
    page.keyboard.press("Enter")
    page.keyboard.press("Numpad9")
    page.keyboard.press("Enter")
    expect(page.locator(".headline")).to_have_text("You won!")
    expect(square(page, 2)).to_be_focused()


def test_what_is_pushed_leaves_the_keyboard_in_its_square(enter: Open, game: Game) -> None:
    page = enter(game, "alice")
    while focused(page) is None:
        page.keyboard.press("Tab")
    page.keyboard.press("Numpad5")
    expect(square(page, 4)).to_be_focused()
    move(game, 8)
    expect(square(page, 4).get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(square(page, 4)).to_be_focused()
    move(game, 7)
    expect(square(page, 7)).to_have_text("X")
    expect(square(page, 4)).to_be_focused()
    assert page.locator('.board [tabindex="0"]').count() == 1


def test_while_a_move_is_kept_no_other_square_sends_one(enter: Open, game: Game) -> None:
    page = enter(game, "bob")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    page.route("**/move/", lambda route: route.abort())
    square(page, 4).get_by_role("button").click()
    expect(page.locator("#connection")).to_contain_text("your move is kept")
    other = square(page, 0).get_by_role("button")
    expect(other).to_have_attribute("aria-disabled", "true")
    other.focus()
    page.keyboard.press("Enter")
    other.evaluate("button => button.click()")
    expect(other).to_be_focused()
    page.wait_for_timeout(500)
    assert sent
    assert all("square=MiddleMiddle" in move for move in sent)


# What is seen.


def shown(page: Page) -> Any:
    """The winning line as it is drawn."""
    return page.locator(".stroke").first.evaluate(
        """(stroke) => {
          const { stroke: colour, strokeWidth, animationName } = getComputedStyle(stroke);
          const { width } = stroke.getBoundingClientRect();
          return { colour, drawn: width > 100 && parseFloat(strokeWidth) > 3, animationName };
        }"""
    )


def test_the_winning_line_is_drawn_over_its_squares(
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


def test_both_lines_of_a_move_that_makes_two_are_drawn(
    all_stages: dict[str, Stage], site: str, context: BrowserContext
) -> None:
    page = all_stages["won twice"].enter(site, context)
    expect(page.locator(".line-012")).to_have_count(1)
    expect(page.locator(".line-048")).to_have_count(1)
    expect(page.locator(".stroke")).to_have_count(2)


def test_lines_are_drawn_with_motion_only_where_it_is_wanted(
    all_stages: dict[str, Stage], site: str, context: BrowserContext
) -> None:
    page = all_stages["won"].enter(site, context)
    assert shown(page)["animationName"] == "none"
    assert page.evaluate("document.getAnimations().length") == 0
    page.emulate_media(reduced_motion="no-preference")
    assert shown(page)["animationName"] == "draw"
    assert page.locator(".last .drawn").evaluate("mark => getComputedStyle(mark).animationName") == "draw"
    assert page.locator("td:not(.last) .drawn").first.evaluate("mark => getComputedStyle(mark).animationName") == "none"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_forced_colours_marks_and_line_are_seen(
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
