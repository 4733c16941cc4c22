"""Browsers started once for this folder, and a site for each module."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.conftest import empty_table, use
from tests.support.evidence import Section, of_page, witness
from tests.support.sites import playing
from tests.three_engines.drivers import Browser, display, running
from tests.three_engines.people import FRESH, Person

Open = Callable[..., Person]


def seen(driver: WebDriver) -> Section:
    return of_page(driver.current_url, driver.find_element(By.TAG_NAME, "body").text, driver.save_screenshot)


@pytest.fixture(scope="package")
def browsers() -> Iterator[Callable[..., Browser]]:
    """Yield a function that returns a browser by name and options, started on first use and kept for later tests."""
    kept: dict[tuple[str, bool, int], Browser] = {}
    with display(), ExitStack() as stack:

        def browser(name: str, *, javascript: bool = True, font_size: int = 16) -> Browser:
            key = name, javascript, font_size
            if key not in kept:
                kept[key] = stack.enter_context(running(name, javascript=javascript, font_size=font_size))
            return kept[key]

        yield browser


@pytest.fixture(scope="module")
def site(engine: str) -> Iterator[str]:
    use(engine)
    with playing("--endpoint", engine) as (address, _):
        yield address.rstrip("/")
    empty_table()


@pytest.fixture
def at(site: str, browsers: Callable[..., Browser], report: Callable[[str], None]) -> Iterator[Open]:
    """Yield a function that returns a person at a fresh browser. Fail the test on uncaught script errors."""
    used: list[Browser] = []

    def opened(name: str, *, address: str = site, **options: bool | int) -> Person:
        browser = browsers(name, **options)
        report(f"three engines: {browser.version}")
        if browser not in used:
            told.enter_context(witness(lambda: seen(browser.driver)))
        used.append(browser)
        person = Person(browser, address)
        if person.path != FRESH:
            person.forget()
        browser.errors()
        browser.resize(1280, 900)
        return person

    with ExitStack() as told:
        yield opened
    for browser in used:
        Person(browser, site).forget()
        assert browser.errors() == [], browser.name
