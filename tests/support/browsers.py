"""Real Chromium browsers, as fixtures."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from tests.support.engines import missing
from tests.support.evidence import Section, of_page, witness

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# How long to wait for what takes a tenth of a second, so that no test depends on the machine's speed.
PATIENCE_MS = 90_000
expect.set_options(timeout=PATIENCE_MS)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def seen(page: Page) -> Section:
    return of_page(page.url, page.locator("body").inner_text(), lambda path: page.screenshot(path=path))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if CHROMIUM is None:
        missing("Chromium")
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    with playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as running:
        yield running


@pytest.fixture
def open_browser(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Yield a function that returns a page of a new browser: a context that shares nothing with others but the process.

    Fail the test on any error in the page, such as a violation of the content security policy. Responses with a
    status of 400 or more don't count: tests may expect them.
    """
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            problems.append(message.text)

    with ExitStack() as browsers:

        def start(*, javascript: bool = True, **options: Any) -> Page:
            context = chromium.new_context(java_script_enabled=javascript, **options)
            browsers.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            browsers.enter_context(witness(lambda: seen(page)))
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", note)
            return page

        yield start
    assert not problems, problems
