"""A person at a browser. Elements are found by role, field name, id or data- attribute, never by wording."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from games import rules
from tests.conftest import PASSWORD
from tests.support.stages import session_of
from tests.three_engines.drivers import Browser

# Seconds to wait for things that take a tenth of one, so that no test depends on timing.
PATIENCE = 30
# Where a fresh browser starts: the lightest page of the site.
FRESH = "/healthz/"
# The page may change between two commands of a test; it then tries again.
CHANGING = (NoSuchElementException, StaleElementReferenceException)
BOARD = "return [...document.querySelectorAll('.board td')].map((td) => td.querySelector('.mark')?.textContent || '-')"
FOCUSED = "return document.activeElement.closest('[data-square]')?.dataset.square"
Found = TypeVar("Found")


@dataclass(frozen=True)
class Person:
    """A person at a browser that shows pages of ``site``."""

    browser: Browser
    site: str

    @property
    def driver(self) -> WebDriver:
        return self.browser.driver

    @property
    def path(self) -> str:
        return str(self.driver.current_url).removeprefix(self.site)

    @property
    def game_id(self) -> str:
        """The id of the game shown."""
        return self.path.split("/")[2]

    @property
    def board(self) -> str:
        """The nine squares on the page, with a dash for an empty one."""
        return "".join(self.run(BOARD))

    @property
    def focused(self) -> int | None:
        """The number of the focused square, or None."""
        name = self.run(FOCUSED)
        return rules.SQUARES.index(name) if name else None

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until(self, condition: Callable[[], Found], what: str) -> Found:
        """Wait until the condition is true and return its value; ``what`` goes into the error if it never is."""
        wait = WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05, ignored_exceptions=CHANGING)
        return wait.until(lambda _: condition(), f"{self.browser.name} at {self.path}: {what}")

    def find(self, selector: str) -> WebElement:
        """Wait for the element to be on the page, and return it."""
        return self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, selector), selector)

    def count(self, selector: str) -> int:
        return len(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def click(self, selector: str) -> None:

        def clicked() -> bool:
            self.driver.find_element(By.CSS_SELECTOR, selector).click()
            return True

        self.until(clicked, f"a click on {selector}")

    def type(self, selector: str, text: str) -> None:
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def keys(self, *keys: str) -> None:
        """Press the keys one after the other, wherever the focus is."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def visit(self, path: str) -> None:
        self.driver.get(self.site + path)

    def shows(self, board: str) -> None:
        """Wait until the page shows this board."""
        self.until(lambda: self.board == board, f"the board {board}")

    def forget(self) -> None:
        """Reset the browser: one tab, no cookies, empty storage."""
        first, *others = self.driver.window_handles
        for handle in others:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.visit(FRESH)
        self.driver.delete_all_cookies()
        if self.browser.javascript:
            self.run("sessionStorage.clear(); localStorage.clear();")

    def become(self, player: str) -> None:
        """Be logged in as this player from the next page on; "" is nobody."""
        if player:
            self.driver.add_cookie({"name": settings.SESSION_COOKIE_NAME, "value": session_of(player)})

    # Pages.

    def sign_up(self, name: str) -> None:
        self.visit("/accounts/signup/")
        self.type("[name=username]", name)
        self.type("[name=password]", PASSWORD)
        self.click('button[formaction$="/signup/"]')
        self.find("#lobby")

    def invite(self, name: str) -> None:
        self.click("#create")
        self.type("[name=opponent][required]", name)
        self.click("form:has([name=opponent][required]) button")
        self.find("#cancel")

    def accept(self) -> None:
        """Accept the invitation that the lobby lists."""
        self.click('[id^="accept-"]')
        self.find("#game")

    def offer_a_link(self) -> str:
        """Ask for a link on the welcome page, and return its path."""
        self.visit("/")
        self.click('button[name=opponent][value=""]')
        return str(self.find("#link").get_attribute("value")).removeprefix(self.site)

    def press(self, square: int) -> None:
        """Take a square, and wait until the page shows the move as made."""
        name = rules.SQUARES[square]
        self.click(f'button[value="{name}"]')
        self.find(f'[data-square="{name}"] .mark')

    def ended(self, outcome: str) -> None:
        """Wait for the game to be over: won, lost or tied."""
        self.find(f'#game[data-outcome="{outcome}"]')
