"""The seed's walk, section 3.4 steps 6 to 12, in two separate real Chromium browsers against ``manage.py play``."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TooLate

from accounts.names import called
from games import rules
from games.match import StoredMatch
from games.storage import store
from tests.conftest import PASSWORD, stored
from tests.support.processes import comes_true
from tests.support.sites import playing

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]

# Moves, the stored result, and the headlines that X (the invited player) and O (the host) see at the end.
ENDINGS = {
    "win": ("03142", "X", "You won!", "You lost. {X} won."),
    "loss": ("031485", "O", "You lost. {O} won.", "You won!"),
    "tie": ("021354678", "Tie", "It's a tie.", "It's a tie."),
    "win on the ninth square": ("031457682", "X", "You won!", "You lost. {X} won."),
}

RECORD_WHAT_IS_SAID = """() => {
  window.said = [];
  const line = document.getElementById("announcer");
  new MutationObserver(() => window.said.push(line.textContent)).observe(line, { childList: true });
}"""


@pytest.fixture(scope="module")
def running(engine: str) -> Iterator[str]:
    """Yield the address of a site on the engine's table."""
    with playing("--endpoint", engine) as (address, _):
        yield address.rstrip("/")


@pytest.fixture
def site(running: str, games_table: str) -> str:
    """Return the site's address, with an empty table."""
    return running


def claim(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Your games")).to_be_visible()


def play_the_computer(site: str, page: Page) -> None:
    page.goto(f"{site}/accounts/signup/")
    claim(page, "testuser1")
    page.get_by_role("link", name="Create game").click()
    page.get_by_role("button", name="Unbeatable").click()
    # Wait: Chromium can't intercept requests of a page that was already loading when the test asked.
    expect(page.locator(".headline")).to_have_text("Your turn: you play O.")


def look_again(page: Page) -> None:
    """Reload by the link: without JavaScript the page reloads itself only every five seconds.

    A click would wait until the page is still, which on a slow machine it never is. And if the page has just reloaded
    itself and says that it's one's turn, there's nothing to press.
    """
    with suppress(TooLate):
        page.get_by_role("link", name="Look again").dispatch_event("click", timeout=5000)


def play(game_id: str, moves: str, x: Page, o: Page, *, javascript: bool) -> None:
    """Play all the moves, checking after each that it is stored."""
    for number, digit in enumerate(moves):
        page = x if number % 2 == 0 else o
        if not javascript and number:
            look_again(page)
        square = page.locator(f'button[value="{rules.SQUARES[int(digit)]}"]')
        square.click()
        # The button disappears from the mover's page once the move is answered.
        expect(square).to_have_count(0)
        assert stored(game_id).recorded_moves == moves[: number + 1]


def check_the_end(game: StoredMatch, ending: str, x: Page, o: Page, *, javascript: bool) -> None:
    moves, result, x_reads, o_reads = ENDINGS[ending]
    players = {"X": str(game.opponent_id), "O": game.host}
    assert (game.result, game.status, game.moves) == (players.get(result, result), "FINISHED", moves)
    if not javascript:
        look_again(o if len(moves) % 2 else x)
    expect(x.locator(".headline")).to_have_text(called(x_reads.format(**players)))
    expect(o.locator(".headline")).to_have_text(called(o_reads.format(**players)))


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_seed_walk_from_signup_to_result(
    site: str, open_browser: Callable[..., Page], ending: str, javascript: bool
) -> None:
    first = open_browser(javascript=javascript)
    first.goto(f"{site}/accounts/signup/")
    claim(first, "testuser1")
    first.get_by_role("link", name="Create game").click()
    first.get_by_label("Choose an opponent").fill("testuser2")
    first.get_by_role("button", name="Invite", exact=True).click()
    expect(first.get_by_text("has not signed up yet")).to_be_visible()

    second = open_browser(javascript=javascript)
    second.goto(f"{site}/accounts/signup/")
    claim(second, "testuser2")
    second.get_by_role("button", name="Accept testuser1's invitation").click()
    expect(second.locator(".headline")).to_have_text("Your turn: you play X.")

    game_id = second.url.split("/")[-2]
    if not javascript:
        look_again(first)
    expect(first.locator(".headline")).to_have_text("testuser2's turn.")
    play(game_id, ENDINGS[ending][0], second, first, javascript=javascript)
    check_the_end(stored(game_id).match(), ending, second, first, javascript=javascript)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_two_guests_play_by_link(site: str, open_browser: Callable[..., Page], javascript: bool) -> None:
    first = open_browser(javascript=javascript)
    first.goto(site)
    first.get_by_role("button", name="Get a link to send").click()
    link = first.get_by_label("Send this link").input_value()
    assert link.startswith(f"{site}/games/")

    second = open_browser(javascript=javascript)
    second.goto(link)
    expect(second.locator(".headline")).to_contain_text("invites you to play. You're X and go first.")
    game_id = second.url.split("/")[-2]
    assert stored(game_id).match().status == "PENDING"
    # The first move accepts the invitation and makes the visitor a guest.
    play(game_id, ENDINGS["win"][0], second, first, javascript=javascript)
    check_the_end(stored(game_id).match(), "win", second, first, javascript=javascript)


@pytest.mark.parametrize("delay", [0, 40])
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_visitors_double_click_creates_one_guest(
    site: str, open_browser: Callable[..., Page], javascript: bool, delay: int
) -> None:
    page = open_browser(javascript=javascript)
    game = store.invite(host="alice", opponent=None)
    page.goto(f"{site}/games/{game.game_id}/")
    box = page.locator('button[value="TopLeft"]').bounding_box()
    assert box
    place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*place)
    page.wait_for_timeout(delay)
    page.mouse.click(*place)
    expect(page.locator(".headline")).to_have_text("alice's turn.")
    assert page.locator("body").get_attribute("data-player") == stored(game.game_id).opponent_id


def test_visitor_without_javascript_plays_replays_and_resigns_rematch(
    site: str, open_browser: Callable[..., Page]
) -> None:
    page = open_browser(javascript=False)
    page.goto(site)
    page.get_by_label("Easy").check()
    page.locator('button[value="MiddleMiddle"]').click()
    expect(page.locator(".headline")).to_have_text("Your turn: you play X.")
    while page.locator(".board button").count():
        page.locator(".board button").first.click()
    expect(page.locator(".headline")).to_have_text(re.compile("You won!|The computer won|tie"))
    count = len(stored(page.url.split("/")[-2]).recorded_moves or "")
    step_back_and_forth(page, count)
    page.get_by_role("link", name="Back to the game").click()
    page.get_by_role("button", name="Rematch").click()
    expect(page.locator(".headline")).to_have_text("Your turn: you play O.")
    page.get_by_text("Resign", exact=True).click()
    page.get_by_role("button", name="Yes, resign").click()
    expect(page.locator(".headline")).to_have_text("You resigned. The computer won.")


def step_back_and_forth(page: Page, count: int) -> None:
    page.get_by_role("link", name="Replay and share").click()
    expect(page.locator(".board span:is(.mark-X, .mark-O)")).to_have_count(count)
    for link, shown in (("Back", count - 1), ("Back", count - 2), ("Next", count - 1)):
        page.get_by_role("link", name=link, exact=True).click()
        expect(page.locator(".headline")).to_contain_text(f"Move {shown} of {count}:")
        expect(page.locator(".board span:is(.mark-X, .mark-O)")).to_have_count(shown)
    page.get_by_role("link", name="X centre").click()
    expect(page.locator(".headline")).to_have_text(f"Move 1 of {count}: X takes centre.")


def test_host_can_show_link_as_qr_code(site: str, open_browser: Callable[..., Page]) -> None:
    host = open_browser(javascript=False)
    host.goto(site)
    host.get_by_role("button", name="Get a link to send").click()
    code = host.get_by_role("img", name="QR code of the link")
    expect(code).to_be_hidden()
    host.get_by_text("Show a QR code").click()
    expect(code).to_be_visible()
    expect(host.get_by_role("button", name="Copy")).to_be_hidden()


def test_host_can_copy_link(site: str, open_browser: Callable[..., Page]) -> None:
    host = open_browser()
    host.context.grant_permissions(["clipboard-read", "clipboard-write"])
    host.goto(site)
    host.get_by_role("button", name="Get a link to send").click()
    host.get_by_role("button", name="Copy").click()
    expect(host.get_by_text("Copied.")).to_be_visible()
    assert host.evaluate("navigator.clipboard.readText()") == host.get_by_label("Send this link").input_value()


def test_phone_offers_sharing_first_and_in_words(site: str, open_browser: Callable[..., Page]) -> None:
    host = open_browser(has_touch=True, is_mobile=True)
    # Chromium on Linux can't share.
    host.add_init_script("navigator.share = async (shared) => { window.shared = shared; }")
    host.goto(site)
    host.get_by_role("button", name="Get a link to send").click()
    expect(host.locator(".share button")).to_have_text(["Share", "Copy the link"])
    host.get_by_role("button", name="Share").click()
    link = host.get_by_label("Send this link").input_value()
    assert host.evaluate("window.shared") == {"text": f"Play tic-tac-toe with me: {link}"}


def test_login_with_unclaimed_name_offers_signup(site: str, open_browser: Callable[..., Page]) -> None:
    page = open_browser(javascript=False)
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Name").fill("testuser1")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Nobody has the name testuser1 yet")).to_be_visible()
    claim(page, "testuser1")


def test_stale_tab_sees_message_and_current_board(site: str, open_browser: Callable[..., Page]) -> None:
    tab = open_browser()
    play_the_computer(site, tab)
    other_tab = tab.context.new_page()
    other_tab.route("**/live.js", lambda route: route.abort())  # or live.js would update the tab
    other_tab.goto(tab.url)
    squares = [button.get_attribute("value") for button in tab.locator(".board button").all()]
    tab.locator(f'button[value="{squares[0]}"]').click()
    expect(tab.locator(".board button")).to_have_count(6)
    other_tab.locator(f'button[value="{squares[1]}"]').click()
    expect(other_tab.get_by_text("The game has moved on")).to_be_visible()
    expect(other_tab.locator(".board button")).to_have_count(6)


def test_back_button_shows_current_board(site: str, open_browser: Callable[..., Page]) -> None:
    page = open_browser()
    play_the_computer(site, page)
    page.locator(".board button").first.click()
    expect(page.locator(".board button")).to_have_count(6)
    page.get_by_role("link", name="Back to your games").click()
    expect(page.get_by_text("Your turn", exact=True)).to_be_visible()
    page.go_back()
    expect(page.locator(".board button")).to_have_count(6)


def test_failed_move_is_announced_and_retried(site: str, open_browser: Callable[..., Page]) -> None:
    page = open_browser()
    play_the_computer(site, page)
    page.evaluate(RECORD_WHAT_IS_SAID)
    page.route("**/move/", lambda route: route.abort())
    page.locator(".board button").first.click()
    assert comes_true(lambda: "could not be reached" in page.evaluate("window.said.join()"))
    expect(page.locator("#connection")).to_contain_text("your move is kept")
    expect(page.locator(".board button")).to_have_count(8)
    page.unroute("**/move/")
    expect(page.locator(".board button")).to_have_count(6)


def test_keyboard_move_keeps_focus_and_announces_turn(site: str, open_browser: Callable[..., Page]) -> None:
    page = open_browser()
    play_the_computer(site, page)
    square = page.locator(".board button").first
    taken = page.locator(f'[data-square="{square.get_attribute("value")}"]')
    square.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".board button")).to_have_count(6)
    expect(taken).to_be_focused()
    expect(page.locator("#announcer")).to_have_text(re.compile(r"^X played .*\. Your turn\.$"))
