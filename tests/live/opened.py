"""A game between two players, and what the tests see of a page that is open on it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, Route

from games import rules
from games.match import StoredMatch
from games.storage import store
from tests.conftest import stored
from tests.support.processes import comes_true

# Lets the tests read what was pushed, announced or notified, and set whether the page is in front.
INSTRUMENTS = """
window.pushed = [];
window.said = [];
window.notified = [];
window.rung = 0;
window.inFront = true;
const RealNotification = Notification;
const parse = DOMParser.prototype.parseFromString;
DOMParser.prototype.parseFromString = function (html, type) {
  window.pushed.push(Number(/data-version="(\\w+)"/.exec(html)?.[1]));
  return parse.call(this, html, type);
};
new MutationObserver((changes) => {
  for (const { target } of changes) if (target.id === "announcer") window.said.push(target.textContent);
}).observe(document, { childList: true, subtree: true });
Object.defineProperty(document, "hidden", { get: () => !window.inFront });
document.hasFocus = () => window.inFront;
window.bring = (inFront) => {
  window.inFront = inFront;
  document.dispatchEvent(new Event("visibilitychange"));
};
window.Notification = class {
  static requestPermission = () => RealNotification.requestPermission();
  static get permission() {
    return RealNotification.permission;
  }
  constructor(title, options) {
    window.notified.push(options.body);
  }
};
window.OscillatorNode = class extends OscillatorNode {
  constructor(...given) {
    super(...given);
    window.rung++;
  }
};
"""


@dataclass
class Match:
    """A game between two players with unique names; ``game`` is as it was created."""

    game: StoredMatch
    url: str
    x: str
    o: str

    def move(self, square: int) -> None:
        """Take the square for the player to move, directly in the store: no page and no hint tells the site."""
        now = stored(self.game.game_id).match()
        store.move(now, player=str(now.turn), square=square)

    @property
    def moves(self) -> str | None:
        return stored(self.game.game_id).match().moves


# What the page does next isn't because of a timer of more than 5.5 s: those never fire.
ONLY_SHORT_TIMERS = """() => {
  const set = window.setTimeout;
  window.setTimeout = (then, after) => (after > 5500 ? 0 : set(then, after));
}"""
KEPT = "Object.keys(sessionStorage).filter(key => key.endsWith('/move/'))"
EVENTS = re.compile("/events/")
STATE = re.compile("/state/")
Enter = Callable[..., Page]


def line(page: Page) -> Locator:
    """Return the line where the page tells its connection state."""
    return page.locator("#connection")


def headline(page: Page) -> Locator:
    return page.locator(".headline")


def cell(page: Page, square: int) -> Locator:
    return page.locator(f'[data-square="{rules.SQUARES[square]}"]')


def press(page: Page, square: int) -> None:
    page.locator(f"#{rules.SQUARES[square]}").click()


def cut(page: Page) -> None:
    """End the page's stream and block new ones."""
    page.route(EVENTS, lambda route: route.abort())
    page.evaluate("window.dispatchEvent(new Event('offline'))")


def bring(page: Page, *, in_front: bool) -> None:
    page.evaluate("bring", in_front)


def posts(page: Page) -> list[str]:
    """Return a list that collects the POST requests that the page sends from now on."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    return sent


def until(page: Page, condition: str) -> None:
    """Wait until the condition is true. The content security policy forbids Playwright's own wait."""
    assert comes_true(lambda: page.evaluate(condition))


def lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort()
