"""The site's Jinja environment, with the filters that show players' names."""

import re
from functools import lru_cache, partial
from typing import Any

import jinja2
from django.http import HttpRequest
from markupsafe import Markup

from accounts.names import called
from accounts.sessions import is_new_here
from tictactoe_site import jinja

_REVERSING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def environment(**options: Any) -> jinja2.Environment:
    """Return the environment of all templates (see TEMPLATES in the settings)."""
    env = jinja.environment(**options)
    env.filters |= {"plain": plain, "named": named}
    return env


def of_session(request: HttpRequest) -> dict[str, Any]:
    """Return what base.html asks for once it has a user: whether a guest has just become this player."""
    return {"is_new_here": partial(is_new_here, request)}


@lru_cache(maxsize=10_000)  # A lobby says the same names again and again.
def plain(text: str) -> str:
    """Return the text with guests' words, for a title or an attribute: without what lets a name reverse its letters."""
    return _REVERSING.sub("", called(text))


@lru_cache(maxsize=10_000)
def named(text: str, names: tuple[str | None, ...] | None = None) -> Markup:
    """Mark the names in the text, and call guests by two words; without ``names``, the whole text is one.

    A browser then neither translates a name nor lets its letters reverse the text around it.
    """
    marked = Markup('<bdi translate="no">{}</bdi>')
    known = sorted(filter(None, [text] if names is None else names), key=len, reverse=True)
    pattern = rf"(?<!\w)({'|'.join(map(re.escape, known))})(?!\w)"
    parts = re.split(pattern, text) if known else [text]  # The names are at the odd places.
    return Markup().join(marked.format(called(part)) if number % 2 else part for number, part in enumerate(parts))
