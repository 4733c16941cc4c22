"""How fast pages appear on a slow phone: Chromium behind the instance's nginx, throttled the way Lighthouse does it.

The network is fast 3G in Lighthouse's observed throttling. A round trip of 150 ms becomes 562.5 ms for each request,
because opening connections costs nothing here. The CPU is four times slower. Prints the median of each page's loads.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.site import machine
from dynamodb import embedded, provisioning
from games.match import PACES
from games.storage import store
from tests.support.browsers import ARGUMENTS, CHROMIUM
from tests.support.instances import instance
from tests.support.traffic import Traffic
from tictactoe_site import config, table

# Lighthouse's mobileSlow4G, once called Fast 3G: 150 ms, 1,638.4 and 750 Kbps, converted for DevTools.
NETWORK = {
    "offline": False,
    "latency": 150 * 3.75,
    "downloadThroughput": 1638.4 * 1024 * 0.9 / 8,
    "uploadThroughput": 750 * 1024 * 0.9 / 8,
}
CPU = 4
VIEWPORT = {"width": 412, "height": 823}
PAINTS = """
window.lcp = 0;
window.cls = 0;
window.element = "";
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.lcp = entry.startTime;
    window.element = entry.element?.className || entry.element?.tagName || "";
  }
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.cls += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


READY = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


@dataclass
class Figures:
    """Of one page's loads: times in milliseconds. ``ready`` is when all scripts had run."""

    lcp: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    cls: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)
    element: str = ""

    def __str__(self) -> str:
        kilobytes = statistics.median(self.bytes) / 1000
        return (
            f"{statistics.median(self.lcp) / 1000:8.2f} {max(self.lcp) / 1000:8.2f}"
            f" {statistics.median(self.ready) / 1000:8.2f} {max(self.cls):8.3f}"
            f" {kilobytes:8.1f}  {self.element}"
        )


@contextmanager
def site() -> Iterator[str]:
    with embedded.process() as endpoint, tempfile.TemporaryDirectory() as folder:
        table.bind(config.for_endpoint(endpoint, environ={}), patient=True)
        provisioning.create(lambda line: None)
        with instance(endpoint, Path(folder)) as running:
            yield running.address


def player(browser: Browser, address: str) -> tuple[str, list[dict[str, str]]]:
    """Return the name of a new guest, and the cookies of its browser."""
    page = browser.new_page()
    page.goto(f"{address}/accounts/login/")
    page.get_by_role("button", name="Play as a guest").click()
    name = str(page.locator("body").get_attribute("data-player"))
    cookies = [
        {key: str(cookie[key]) for key in ("name", "value", "domain", "path")} for cookie in page.context.cookies()
    ]
    page.close()
    return name, cookies


def pages_of(name: str) -> dict[str, str]:
    """Return the paths to measure, by title: every page that a first visit may start on, and a player's own pages."""
    begun = store.challenge_computer(host=name)
    invited = store.invite(host=name, opponent=None)
    hurried = store.accept(store.invite(host=name, opponent="bob", pace=PACES["minutes"]).game_id, player="bob")
    over = store.resign(store.accept(store.invite(host=name, opponent="bob").game_id, player="bob"), player=name)
    return {
        "welcome": "/",
        "a friend's link": f"/games/{invited.game_id}/",
        "lobby": "/",
        "game": f"/games/{begun.game_id}/",
        "game in a hurry": f"/games/{hurried.game_id}/",
        "own invitation": f"/games/{invited.game_id}/",
        "finished game": f"/games/{over.game_id}/",
        "new game": "/games/new/",
        "replay": "/replay/031457682/",
    }


def load(browser: Browser, url: str, cookies: list[dict[str, str]], figures: Figures) -> None:
    """Load the page once with nothing cached, and add its figures."""
    context = browser.new_context(viewport=VIEWPORT, device_scale_factor=2)  # type: ignore[arg-type]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.add_init_script(PAINTS)
    traffic = Traffic().of(page)
    throttle(page)
    page.goto(url, wait_until="load")
    page.wait_for_timeout(2000)
    figures.lcp.append(page.evaluate("window.lcp"))
    figures.ready.append(page.evaluate(READY))
    figures.cls.append(page.evaluate("window.cls"))
    figures.element = page.evaluate("window.element")
    figures.bytes.append(sum(traffic.bytes.values()))
    context.close()


def throttle(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.page_loads", description=__doc__)
    parser.add_argument("--loads", type=int, default=5, help="how often to load each page (default 5)")
    loads = parser.parse_args().loads
    print(f"{loads} loads of each page, nothing cached; {machine()}")
    print(f"{'':18} {'LCP, s':>8} {'worst':>8} {'ready':>8} {'CLS':>8} {'KB':>8}  largest element")
    with site() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        name, cookies = player(browser, address)
        for title, path in pages_of(name).items():
            figures = Figures()
            visitor = title in ("welcome", "a friend's link")
            for _ in range(loads):
                load(browser, f"{address}{path}", [] if visitor else cookies, figures)
            print(f"{title:18} {figures}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
