"""Server-sent events: page fragments, rendered once for all viewers of a role, each sent with the viewer's token."""

import secrets

from django.template.loader import render_to_string
from django.utils.html import format_html

from games.live.viewers import Viewer
from games.pages.game import GamePage
from games.pages.link import Link
from games.pages.lobby import LobbyPage
from games.responses import url_of
from games.signing import new_game

# A placeholder for the CSRF token, random for each process, so that nobody can store a name that contains it.
_TOKEN = secrets.token_hex()
_FIELD = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', _TOKEN)
COMMENT = b":\n\n"


def event(name: str, data: str = "", *, version: str = "") -> bytes:
    """Return one event in the format of the HTML standard (section 9.2.6, interpreting an event stream)."""
    head = [f"event: {name}"] + ([f"id: {version}"] if version else [])
    lines = head + [f"data: {line}" for line in data.replace("\r", "").split("\n") if line.strip() or not data]
    return "\n".join([*lines, "", ""]).encode()


def board(page: GamePage, base: str) -> bytes:
    """Return the event for all who see the game like the page's viewer. ``base`` is the site's address for them."""
    link = Link(page, base.rstrip("/") + url_of(page.game))
    html = render_to_string("games/_game.html", link.context() | {"csrf": _FIELD})
    return event("board", html, version=str(page.version))


def lobby(page: LobbyPage) -> bytes:
    html = render_to_string("games/_lobby.html", {"page": page, "paged": False, "csrf": _FIELD, "new_game": new_game})
    return event("lobby", html, version=page.version)


def for_viewer(message: bytes, viewer: Viewer) -> bytes:
    """Return the event with the viewer's own CSRF token in its forms."""
    return message.replace(_TOKEN.encode(), viewer.token.encode())
