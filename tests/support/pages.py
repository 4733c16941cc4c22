"""Read the site's pages as a client that knows only the contract."""

import re
from typing import Any

JSON = {"accept": "application/json"}
HTMX = {"hx-request": "true"}


def position_in(response: Any) -> str:
    """Return the signed position from a page's hidden field or a JSON response."""
    if response.headers["Content-Type"] == "application/json":
        return str(response.json()["position"])
    found = re.search(r'name="position" value="([^"]+)"', response.content.decode())
    assert found, "The page has no position."
    return found[1]


def hidden_in(page: str) -> dict[str, str]:
    """Return the hidden fields of a page with one form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page))


def csrf_in(cookies: Any) -> str:
    """Return the CSRF token from a mapping of cookies, whose names depend on the site's key; "" if there's none."""
    return next((value for name, value in cookies.items() if name.endswith(("-csrf", "csrftoken"))), "")


def new_game_in(response: Any) -> str:
    """Return the signed id of a new game from the page's forms."""
    found = re.search(r'name="game" value="([^"]+)"', response.content.decode())
    assert found, "The page has no game's id."
    return found[1]


def unmarked(response: Any) -> str:
    """Return the page without the marks around names."""
    page: str = response.content.decode()
    return page.replace('<bdi translate="no">', "").replace("</bdi>", "")
