"""Screen reader announcements: each piece of news once."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from games.models import Game
from games.signing import rematch_of
from games.storage import store
from tests.accessibility.boards import Open, square
from tests.conftest import stored
from tests.support.stages import game_after, log_in, move

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]

LISTEN = """
window.heard = [];
new MutationObserver((changes) => {
  for (const { target } of changes) {
    const region = (target.closest ? target : target.parentElement)?.closest("[role=status], [role=alert]");
    if (region?.textContent.trim()) window.heard.push(region.textContent.trim());
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


@pytest.fixture(autouse=True)
def ears(context: BrowserContext) -> None:
    context.add_init_script(LISTEN)


def heard(page: Page, *, within: float = 90) -> Callable[[str], int]:
    """Return a function that waits for a sentence and counts how often it was announced."""

    def times(sentence: str) -> int:
        page.wait_for_function("sentence => window.heard.includes(sentence)", arg=sentence, timeout=within * 1000)
        said: list[str] = page.evaluate("window.heard")
        return said.count(sentence)

    return times


def test_moves_and_winning_line_are_announced_once(enter: Open) -> None:
    game = game_after("031")
    page = enter(game, "alice")
    assert heard(page)("X played top middle. Your turn.") == 1  # Including the move made before the page opened.
    square(page, 4).get_by_role("button").click()
    assert heard(page)("O played centre. bob's turn.") == 1
    move(game, 2)
    assert heard(page)("X played top right, top row. You lost. bob won.") == 1
    expect(page.get_by_role("gridcell", name="Top right, X, last move, winning line")).to_be_visible()


def test_resignation_is_announced(enter: Open) -> None:
    game = game_after("0")
    page = enter(game, "alice")
    store.resign(game, player="bob")
    assert heard(page)("You won: bob resigned.") == 1


def test_lobby_announces_news(site: str, context: BrowserContext) -> None:
    game = game_after("")
    log_in(context, "alice", site)
    page = context.new_page()
    page.goto(site)
    expect(page.locator("#connection")).to_have_text("Live")
    store.invite(host="charlie", opponent="alice")
    assert heard(page)("charlie invites you.") == 1
    move(game, 0)
    assert heard(page)("Your turn against bob.") == 1


def test_connection_loss_and_return_are_announced_once(enter: Open) -> None:
    page = enter(game_after(""), "alice")
    page.context.set_offline(True)
    page.wait_for_function("() => window.heard.some((said) => said.startsWith('Offline: last checked'))")
    page.wait_for_timeout(3000)
    assert sum(said.startswith("Offline") for said in page.evaluate("window.heard")) == 1
    page.context.set_offline(False)
    assert heard(page)("Connected again.") == 1


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"HX-Retarget": "#message", "HX-Reswap": "innerHTML"}, "The games can't be reached just now."),
        ({}, "The site can't answer just now. Your move is kept and goes out by itself."),
    ],
)
def test_repeated_retries_are_one_alert(enter: Open, headers: dict[str, str], sentence: str) -> None:
    page = enter(game_after(""), "bob")
    tries: list[float] = []

    def unavailable(route: Route) -> None:
        tries.append(time.monotonic())
        route.fulfill(status=503, headers=headers | {"Retry-After": "1"}, body="The games can't be reached just now.")

    page.route("**/move/", unavailable)
    square(page, 4).get_by_role("button").click()
    heard(page)(sentence)
    page.wait_for_timeout(3500)
    assert len(tries) > 2
    assert heard(page)(sentence) == 1


def test_low_time_is_announced_once(enter: Open) -> None:
    game = game_after("", pace=300)
    Game(game.game_id).update([Game.deadline.set(int(time.time()) + 29)])  # 19 seconds for the page to load
    page = enter(game, "bob")
    assert heard(page)("10 seconds left.") == 1
    expect(page.locator("time.soon")).to_be_visible()
    assert heard(page)("You ran out of time. alice won.") == 1
    assert sum("left" in said for said in page.evaluate("window.heard")) == 1  # not every second of the clock


def test_rematch_offer_is_announced(enter: Open) -> None:
    game = game_after("0314")
    page = enter(game, "alice")
    move(game, 2)
    heard(page)("X played top right, top row. You lost. bob won.")
    over = stored(game.game_id).match()
    store.rematch(over, player="bob", game_id=rematch_of(over.game_id))
    assert heard(page)("bob asks for a rematch.") == 1
    assert page.title() == "(1) bob asks for a rematch · Tic-Tac-Toe"
    page.get_by_role("button", name="Rematch").click()
    expect(page.locator(".headline")).to_have_text("Your turn: you play X.")
