"""The environment of the templates, and what every page is given besides its own variables."""

from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote

import jinja2
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.http import HttpRequest
from django.template import engines
from django.template.backends.utils import csrf_input
from django.template.defaultfilters import capfirst, pluralize
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django_htmx.jinja import htmx_script

# An address is worked out once. A page of somebody with many games has a few hundred.
ADDRESSES = 10_000


def environment(**options: Any) -> jinja2.Environment:
    """Return the environment of all templates (TEMPLATES in the settings). A variable that nobody gave is an error."""
    options |= {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    env = jinja2.Environment(**options)  # noqa: S701 - Django turns autoescape on
    env.globals = {**env.globals, "url": url, "static": lru_cache(static), "htmx_script": lru_cache(htmx_script)}
    env.filters = {**env.filters, "naturaltime": naturaltime, "pluralize": pluralize, "capfirst": capfirst}
    return env


@lru_cache(maxsize=ADDRESSES)
def url(name: str, *args: str) -> str:
    """Return the address with this name in the urlconfs."""
    return reverse(name, args=args)


def of_request(request: HttpRequest) -> dict[str, Any]:
    """Return what base.html and the forms need of the request.

    ``user`` is None before accounts.middleware, as on the setup page. ``csrf`` is a form's hidden field, the same one
    in the whole answer: Django masks the token anew each time it is asked, and sets a cookie where there is a form.
    """
    return {
        "user": getattr(request, "user", None),
        "csrf": SimpleLazyObject(lambda: csrf_input(request)),
        "here": request.path,
        "next_here": f"?next={quote(request.path)}" if request.method == "GET" else "",
        "site": SimpleLazyObject(lambda: f"{request.scheme}://{request.get_host()}"),
    }


def compile_all() -> None:
    """Compile every template now, instead of at the first request that needs it."""
    env: jinja2.Environment = cast("Any", engines["jinja2"]).env
    for name in env.list_templates():
        env.get_template(name)
