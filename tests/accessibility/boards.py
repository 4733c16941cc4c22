"""Helpers for a page's board: its squares, the number pad, and the focused square."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page

from games import rules

Open = Callable[..., Page]
PAD_WITHOUT_NUM_LOCK = {4: "ArrowLeft", 6: "ArrowRight", 8: "ArrowUp", 2: "ArrowDown", 7: "Home", 1: "End"}


def square(page: Page, number: int) -> Locator:
    return page.locator(f'[data-square="{rules.SQUARES[number]}"]')


def press_on_pad(page: Page, digit: int, *, num_lock: bool = True) -> None:
    """Press a number pad key, by CDP: Playwright has only the keys without NumLock, such as arrows, Home and End."""
    key = str(digit) if num_lock else PAD_WITHOUT_NUM_LOCK[digit]
    session = page.context.new_cdp_session(page)
    for kind in ("rawKeyDown", "keyUp"):
        session.send("Input.dispatchKeyEvent", {"type": kind, "key": key, "code": f"Numpad{digit}"})
    session.detach()


def focused(page: Page) -> Any:
    """Return the number of the focused square, or None."""
    name = page.evaluate("document.activeElement.closest('.board td')?.dataset.square")
    return name and rules.SQUARES.index(name)
