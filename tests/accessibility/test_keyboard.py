"""The board by keyboard alone, as an ARIA grid; and where the focus goes when a page changes."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from games.match import StoredMatch
from tests.accessibility.boards import Open, focused, press_on_pad, square
from tests.support.stages import log_in, move

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]


def test_board_is_aria_grid_with_labelled_squares(enter: Open, game: StoredMatch) -> None:
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


def test_board_without_scripts_is_table_of_buttons(
    site: str, open_browser: Callable[..., Page], game: StoredMatch
) -> None:
    page = open_browser(javascript=False)
    log_in(page.context, "bob", site)
    page.goto(f"{site}/games/{game.game_id}/")
    board = page.get_by_role("table", name="Board, your turn")
    expect(board.get_by_role("button")).to_have_count(9)
    board.get_by_role("button", name="Centre, empty").click()
    expect(page.get_by_role("img", name="Centre, X")).to_be_visible()


def test_arrow_and_pad_keys_move_focus_on_board(enter: Open, game: StoredMatch) -> None:
    page = enter(game, "bob")
    page.locator("summary").focus()
    page.keyboard.press("Shift+Tab")
    assert focused(page) == 0
    way = {"ArrowRight": 1, "ArrowDown": 4, "End": 5, "ArrowLeft": 4, "Home": 3, "Control+End": 8, "Control+Home": 0}
    for key, place in way.items():
        page.keyboard.press(key)
        assert focused(page) == place, key
    for place, digit in enumerate((7, 8, 9, 4, 5, 6, 1, 2, 3)):
        press_on_pad(page, digit)
        assert focused(page) == place, digit
    for corner, edges in {8: ("ArrowRight", "ArrowDown"), 2: ("ArrowRight", "ArrowUp"), 6: ("ArrowLeft",)}.items():
        press_on_pad(page, (7, 8, 9, 4, 5, 6, 1, 2, 3)[corner])
        for edge in edges:  # stays in the corner
            page.keyboard.press(edge)
            assert focused(page) == corner, edge
    page.keyboard.press("Tab")
    assert focused(page) is None  # the board is one tab stop
    page.keyboard.press("Shift+Tab")
    assert focused(page) == 6


def test_number_pad_without_num_lock_moves_like_arrows(enter: Open, game: StoredMatch) -> None:
    page = enter(game, "bob")
    square(page, 0).get_by_role("button").focus()
    for digit, place in ((6, 1), (6, 2), (2, 5), (7, 3), (1, 5), (8, 2), (4, 1)):
        press_on_pad(page, digit, num_lock=False)
        assert focused(page) == place, digit


def test_game_can_be_won_by_keyboard_alone(enter: Open, game: StoredMatch) -> None:
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
    expect(page.locator(".headline")).to_have_text("alice's turn.")  # The move has been stored, not only drawn.
    press_on_pad(page, 4)  # O's square: it can be focused, but Enter does nothing
    expect(square(page, 3)).to_be_focused()
    move(game, 4)
    expect(page.locator(".headline")).to_have_text("Your turn: you play X.")
    page.keyboard.press("Enter")
    press_on_pad(page, 9)
    page.keyboard.press("Enter")
    expect(page.locator(".headline")).to_have_text("You won!")
    expect(square(page, 2)).to_be_focused()


def test_push_keeps_focus_on_square(enter: Open, game: StoredMatch) -> None:
    page = enter(game, "alice")
    while focused(page) is None:
        page.keyboard.press("Tab")
    press_on_pad(page, 5)
    expect(square(page, 4)).to_be_focused()
    move(game, 8)
    expect(square(page, 4).get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(square(page, 4)).to_be_focused()
    move(game, 7)
    expect(square(page, 7)).to_have_text("X")
    expect(square(page, 4)).to_be_focused()
    assert page.locator('.board [tabindex="0"]').count() == 1


def test_other_squares_send_nothing_while_move_is_kept(enter: Open, game: StoredMatch) -> None:
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


# Focus when the page changes.


def test_open_resign_question_survives_opponents_move(enter: Open, game: StoredMatch) -> None:
    page = enter(game, "alice")
    page.locator("#ask").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#resign")).to_be_focused()
    move(game, 4)
    expect(page.locator(".headline")).to_have_text("Your turn: you play O.")
    expect(page.locator("#resign")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".headline")).to_have_text("You resigned. bob won.")


def test_replay_keeps_focus_on_next_and_back(site: str, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{site}/replay/03142/?move=3")
    page.locator("#next").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".headline")).to_have_text("Move 4 of 5: O takes centre.")
    expect(page.locator("#next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".headline")).to_be_focused()  # There is no next move.
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#back")).to_be_focused()
    assert page.evaluate("window.scrollY") == 0


def test_refused_form_focuses_invalid_field(site: str, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{site}/accounts/signup/")
    page.get_by_label("Name").fill("good-name")
    page.get_by_label("Password").fill("short")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_accessible_description(re.compile("This password is too short"))
    expect(page).to_have_title(re.compile("^Not yet: Create account"))


def test_guest_is_asked_before_the_browser_forgets_them(site: str, context: BrowserContext) -> None:
    log_in(context, "guest-abc234", site)
    page = context.new_page()
    page.goto(site)
    page.locator(".who > summary").click()
    forget = page.get_by_role("button", name="Yes, forget me")
    expect(forget).to_be_hidden()
    page.get_by_text("Forget me on this browser").click()
    expect(page.get_by_text("You won't be able to open your games here again.")).to_be_visible()
    forget.click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_menu_closes_on_escape_and_outside(site: str, context: BrowserContext) -> None:
    log_in(context, "guest-abc234", site)
    page = context.new_page()
    page.goto(site)
    menu, summary = page.locator(".who"), page.locator(".who > summary")
    summary.click()
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(summary).to_be_focused()
    summary.click()
    page.locator("h1").click()
    expect(menu).not_to_have_attribute("open", "")


def test_password_is_shown_while_asked_for_and_hidden_when_sent(site: str, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{site}/accounts/signup/")
    password, button = page.get_by_label("Password"), page.get_by_role("button", name="Show what I type")
    page.get_by_label("Name").fill("good-name")
    password.fill("short")
    for shown in ("text", "password", "text"):
        button.press("Space")
        expect(password).to_have_attribute("type", shown)
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
    password.press("Enter")
    expect(password).to_have_attribute("type", "password")
    expect(button).to_have_attribute("aria-pressed", "false")
