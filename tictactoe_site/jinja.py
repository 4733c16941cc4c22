"""The Jinja environment, and the variables that every template gets."""

from datetime import datetime
from functools import lru_cache, partial
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
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.timesince import timesince


def environment(**options: Any) -> jinja2.Environment:
    """Return an environment without the filters for names (accounts.jinja). An undefined variable is an error."""
    options |= {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    env = jinja2.Environment(**options)  # noqa: S701 - Django turns autoescape on
    env.globals = {**env.globals, "url": url, "static": lru_cache(static)}
    env.filters = {**env.filters, "ago": naturaltime, "past": past, "pluralize": pluralize, "capfirst": capfirst}
    env.filters["lasting"] = partial(timesince, depth=1)  # such as "2 hours"
    return env


@lru_cache(maxsize=10_000)  # A page with many games has a few hundred addresses.
def url(name: str, *args: str) -> str:
    return reverse(name, args=args)


def past(moment: datetime) -> datetime:
    """Return the moment, or now if that is earlier. Clocks differ, and the AWS example writes local time."""
    return min(moment, timezone.now())


def of_request(request: HttpRequest) -> dict[str, Any]:
    """Return the variables from the request that base.html and the forms need."""
    # ``user`` is None if accounts.middleware hasn't run, as on the setup page. ``csrf`` is the hidden field for forms.
    # It's lazy, so Django sets its cookie only if there's a form, and all forms in a response share one masked token.
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
