"""Real Chromium browsers, as fixtures."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from threading import Timer
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from tests.support.engines import missing
from tests.support.evidence import Section, of_page, witness

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# How long to wait for what takes a tenth of a second, so that no test depends on the machine's speed.
PATIENCE_MS = 90_000
expect.set_options(timeout=PATIENCE_MS)
# How long to wait for Chromium to close a context before it is killed.
CLOSES_SECONDS = 60
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


class Chromium:
    """The Chromium of a test process: started when it's first needed, and again after it had to be killed."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._browser: Browser | None = None
        self._pid = 0

    @contextmanager
    def context(self, **options: Any) -> Iterator[BrowserContext]:
        """Yield a new context, and close it in the end. If Chromium doesn't within CLOSES_SECONDS, kill it."""
        browser, pid = self._running(), self._pid
        context = browser.new_context(**options)
        try:
            yield context
        finally:
            killer = Timer(CLOSES_SECONDS, os.kill, (pid, signal.SIGKILL))  # Playwright has no limit of its own.
            killer.start()
            try:
                context.close()
            except Error:
                if browser.is_connected():
                    raise
            finally:
                killer.cancel()

    def _running(self) -> Browser:
        if not (self._browser and self._browser.is_connected()):
            self._browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            found = self._browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
            [self._pid] = [process["id"] for process in found if process["type"] == "browser"]
        return self._browser

    def close(self) -> None:
        if self._browser:
            self._browser.close()


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Chromium]:
    with closing(Chromium(playwright)) as running:
        yield running


@pytest.fixture
def open_browser(chromium: Chromium) -> Iterator[Callable[..., Page]]:
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
            context = browsers.enter_context(chromium.context(java_script_enabled=javascript, **options))
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            browsers.enter_context(witness(lambda: seen(page)))
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", note)
            return page

        yield start
    assert not problems, problems
