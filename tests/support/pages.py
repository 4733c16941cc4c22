"""Reading the site's pages as a client does that knows nothing but the contract."""

import re
from typing import Any


def position_in(response: Any) -> str:
    """The signed position: of a page's hidden field, or of a JSON answer."""
    if response.headers["Content-Type"] == "application/json":
        return str(response.json()["position"])
    found = re.search(r'name="position" value="([^"]+)"', response.content.decode())
    assert found, "The page has no position."
    return found[1]


def hidden_in(page: str) -> dict[str, str]:
    """The hidden fields of a page that has one form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page))


def new_game_in(response: Any) -> str:
    """The signed id that the page's forms have for a new game."""
    found = re.search(r'name="game" value="([^"]+)"', response.content.decode())
    assert found, "The page has no game's id."
    return found[1]
