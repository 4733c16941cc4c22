"""How many bytes a page takes on the wire, behind the instance's nginx: the budget in docs/performance.md."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from games.match import PACES
from games.storage import store
from tests.conftest import PASSWORD
from tests.support.instances import instance
from tests.support.traffic import Traffic

# Nothing here depends on the engine.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.process,
    pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session"),
]

FIRST_VISIT = 40_000
MOVE = 2_048
Browsers = Callable[..., Page]


@pytest.fixture(scope="module")
def site(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with instance(engine, tmp_path_factory.mktemp("instance")) as running:
        yield f"{running.address}/"


def linked(page: Page) -> dict[str, int]:
    """Fetch icons and manifest, which a headless browser doesn't; return the size of each."""
    rels = page.locator('link[rel~="icon"], link[rel="manifest"]')
    urls = {urljoin(page.url, str(link.get_attribute("href"))) for link in rels.all()}
    return {url: len(requests.get(url, stream=True, timeout=60).raw.read()) for url in urls}


def test_first_visit_is_at_most_40_kb_from_this_site_only(site: str, open_browser: Browsers, report: Any) -> None:
    page = open_browser()
    traffic = Traffic().of(page)
    page.goto(site, wait_until="networkidle")
    came = linked(page) | traffic.bytes
    report(f"first visit: {sum(came.values()):,} bytes in {len(came)} answers")
    assert [url for url in traffic.asked.values() if not url.startswith(site)] == []
    assert {url.rpartition("/")[2] for url in came} >= {"", "site.css", "page.js", "icon.svg"}
    assert sum(came.values()) <= FIRST_VISIT, came


def test_text_is_served_gzipped(site: str, games_table: str) -> None:
    page = requests.get(site, timeout=60)
    for path in ("", *re.findall(r'"/(static/[^"]+\.(?:css|js))"', page.text)):
        answer = requests.get(site + path, timeout=60)
        assert answer.headers["Content-Encoding"] == "gzip", path
        assert "Accept-Encoding" in answer.headers["Vary"], path


def test_page_has_no_inline_code_and_strict_policy(site: str, games_table: str) -> None:
    answer = requests.get(site, timeout=60)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert not re.search(r"<script[^>]*>(?!</script>)|<style|\bstyle=|\son\w+=", answer.text)


def test_move_response_is_at_most_2_kb(site: str, games_table: str, open_browser: Browsers, report: Any) -> None:
    """It's the longest response: six free squares, after the computer began, and the longest name."""
    page = open_browser()
    page.goto(f"{site}accounts/signup/?next=/games/new/")
    page.get_by_label("Name").fill("a-name-of-20-letters")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("button", name="Unbeatable").click()
    traffic = Traffic().of(page)
    with page.expect_response(re.compile("/move/")) as answer:
        page.locator(".board button").first.click()
    expect(page.locator(".board button")).to_have_count(6)
    assert answer.value.headers["content-encoding"] == "gzip"
    size = traffic.bytes[answer.value.url]
    report(f"a move's answer: {size:,} bytes, headers and all")
    assert size <= MOVE


MOVED = """
window.moved = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries())
    window.moved.push(...shift.sources.map(({ node }) => node.outerHTML ?? node.textContent));
}).observe({ type: "layout-shift", buffered: true });
window.painted = new Promise((done) => new PerformanceObserver(done).observe({ type: "paint", buffered: true }));
"""


@pytest.mark.parametrize("path", ["", "games/new/", "own invitation", "game", "lobby"])
def test_page_loads_without_layout_shift(site: str, games_table: str, open_browser: Browsers, path: str) -> None:
    page = open_browser()
    page.set_viewport_size({"width": 412, "height": 823})
    page.add_init_script(MOVED)
    address = visited(page, site, path)
    # As on a slow phone, the scripts arrive after the page is painted.
    held: list[Route] = []
    page.route(re.compile(r"\.js$"), lambda route: held.append(route))
    page.goto(address, wait_until="commit")
    page.evaluate("window.painted.then(() => null)")
    assert held
    page.unroute_all()  # lets them go on
    page.wait_for_load_state()
    page.wait_for_timeout(1000)
    assert page.evaluate("window.moved") == []


def visited(page: Page, site: str, path: str) -> str:
    """Return the URL of the page, as a guest, after starting a game if the page needs one."""
    if path in ("", "games/new/"):
        return site + path
    page.goto(site)
    kind = "Get a link to send" if path == "own invitation" else "Computer goes first"
    page.get_by_role("button", name=kind).click()
    page.wait_for_url(re.compile("/games/"))
    if path != "lobby":
        return page.url
    host = str(page.locator("body").get_attribute("data-player"))
    invited = store.invite(host=host, opponent="bob", pace=PACES["minutes"])
    store.accept(invited.game_id, player="bob")
    return site
