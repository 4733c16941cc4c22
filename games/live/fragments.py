"""Events: the fragments of the pages, rendered without a request, in the form of server-sent events.

A game's fragment is the same for all who stand in the same relation to it, so a thousand spectators cost one rendering.
The CSRF token of each viewer's forms is put in when it is sent.
"""

import secrets

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from games.live.viewers import Viewer
from games.pages.game import GamePage
from games.pages.link import Link
from games.pages.lobby import LobbyPage
from games.signing import new_game

# Where a token belongs, in this process: nobody can store a name that holds it.
_TOKEN = secrets.token_hex()
_FIELD = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', _TOKEN)
COMMENT = b":\n\n"


def event(name: str, data: str = "", *, version: str = "") -> bytes:
    """One event as the HTML standard has it (section 9.2.6, interpreting an event stream)."""
    head = [f"event: {name}"] + ([f"id: {version}"] if version else [])
    lines = head + [f"data: {line}" for line in data.replace("\r", "").split("\n") if line.strip() or not data]
    return "\n".join([*lines, "", ""]).encode()


def retry(milliseconds: int) -> bytes:
    """How long the client waits before it connects again."""
    return f"retry: {milliseconds}\n\n".encode()


def board(page: GamePage, base: str) -> bytes:
    """The game for everybody who sees it like the page's viewer; ``base`` is the site's address for them."""
    link = Link(page, base.rstrip("/") + reverse("game", args=[page.game.game_id]))
    html = render_to_string("games/_game.html", link.context() | {"csrf": _FIELD})
    return event("board", html, version=str(page.version))


def lobby(page: LobbyPage) -> bytes:
    html = render_to_string("games/_lobby.html", {"page": page, "paged": False, "csrf": _FIELD, "new_game": new_game})
    return event("lobby", html, version=page.version)


def for_viewer(message: bytes, viewer: Viewer) -> bytes:
    """The event with the viewer's own token in its forms."""
    return message.replace(_TOKEN.encode(), viewer.token.encode())
