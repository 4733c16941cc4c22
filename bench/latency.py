"""The time from a click in one browser to the mark in another, in Chromium, compared with a page that polls.

Two instances (each with nginx, web and live, as in the Procfile) share one table on DynamoDB Local. X moves on the
first one. O watches on the same instance and a spectator on the other one. A third page works like the AWS example's:
it fetches the whole page every second. All three see the same moves. Figures are in milliseconds.
"""

import argparse
import random
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from dynamodb import provisioning
from tests.support.browsers import ARGUMENTS, CHROMIUM
from tests.support.engines import dynamodb_local
from tests.support.instances import instance
from tictactoe_site import config, table

MOVES = "021354678"
# Record when the number of marks grows. All pages on a machine share one clock.
WATCH = """() => {
  window.seen = [];
  const count = () => document.querySelectorAll("#game .mark-X[role=img], #game .mark-O[role=img]").length;
  let before = count();
  new MutationObserver(() => {
    for (const now = count(); before < now; before++) seen.push(performance.timeOrigin + performance.now());
  }).observe(document.body, {subtree: true, childList: true});
}"""
POLL = """() => {
  window.seen = [];
  const count = (page) => page.querySelectorAll("#game .mark-X[role=img], #game .mark-O[role=img]").length;
  let before = count(document);
  setInterval(async () => {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    for (const now = count(page); before < now; before++) seen.push(performance.timeOrigin + performance.now());
  }, 1000);
}"""
CLICKED = """() => {
  window.clicks = [];
  addEventListener("click", () => clicks.push(performance.timeOrigin + performance.now()), true);
}"""


def guest(browser: Browser, site: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(f"{site}/accounts/login/")
    page.get_by_role("button", name="Play as a guest").click()
    page.get_by_role("heading", name="Your games").wait_for()
    return page


class Match:
    """Games between two guests, one after another, watched from three places."""

    def __init__(self, browser: Browser, here: str, there: str) -> None:
        self.browser, self.here, self.there = browser, here, there
        self.late: dict[str, list[float]] = {"same instance": [], "other instance": [], "polling every second": []}

    def play(self, think: tuple[float, float]) -> None:
        o, x = guest(self.browser, self.here), guest(self.browser, self.here)
        o.get_by_role("link", name="Create game").click()
        o.get_by_role("button", name="Get a link to send").click()
        path = o.get_by_label("Send this link").input_value().removeprefix(self.here)
        pages = {"same instance": o}
        x.goto(self.here + path)
        x.get_by_role("button", name="Accept", exact=True).click()
        x.locator(".headline.mine").wait_for()
        for place, site in (("other instance", self.there), ("polling every second", self.here)):
            pages[place] = self.browser.new_context(java_script_enabled=True).new_page()
            if place == "polling every second":
                pages[place].route("**/*.js", lambda route: route.abort())
            pages[place].goto(site + path)
        o.get_by_text("'s turn.").first.wait_for()
        for place, page in pages.items():
            page.evaluate(POLL if place == "polling every second" else WATCH)
        x.evaluate(CLICKED)
        o.evaluate(CLICKED)
        time.sleep(1)
        self._moves(x, o, pages, think)
        for page in (x, *pages.values()):
            page.context.close()

    def _moves(self, x: Page, o: Page, pages: dict[str, Page], think: tuple[float, float]) -> None:
        for number, digit in enumerate(MOVES):
            time.sleep(random.uniform(*think))
            mover = o if number % 2 else x
            mover.locator("#game .board button").first.wait_for()
            mover.locator(f"#{SQUARES[int(digit)]}").click()
            clicked = mover.evaluate("clicks.at(-1)")
            for place, page in pages.items():
                if page is mover:
                    continue
                while not page.evaluate("clicked => seen.length && seen.at(-1) > clicked", clicked):
                    page.wait_for_timeout(20)
                self.late[place].append(page.evaluate("seen.at(-1)") - clicked)


SQUARES = (
    "TopLeft TopMiddle TopRight MiddleLeft MiddleMiddle MiddleRight BottomLeft BottomMiddle BottomRight".split()  # noqa: SIM905
)


def report(late: dict[str, list[float]]) -> None:
    print(f"{'':20} {'moves':>6} {'p50':>7} {'p95':>7} {'max':>7}  ms")
    for place, times in late.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{place:20} {len(times):6} {statistics.median(times):7.0f} {p95:7.0f} {max(times):7.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    parser.add_argument("--games", type=int, default=20, help="how many games of nine moves to play (default 20)")
    parser.add_argument(
        "--think", type=float, nargs=2, default=(0.3, 2.3), metavar=("FROM", "TO"), help="seconds before each move"
    )
    given = parser.parse_args()
    with ExitStack() as running:
        endpoint = running.enter_context(dynamodb_local())
        table.bind(config.for_endpoint(endpoint, environ={}), patient=True)
        provisioning.create(lambda line: None)
        here, there = (
            running.enter_context(
                instance(endpoint, Path(running.enter_context(tempfile.TemporaryDirectory())))
            ).address
            for _ in range(2)
        )
        playwright = running.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        match = Match(browser, here, there)
        for _ in range(given.games):
            match.play(given.think)
        report(match.late)
        browser.close()


if __name__ == "__main__":
    import django

    django.setup()
    main()
