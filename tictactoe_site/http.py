"""The kinds of response (a page, a fragment or JSON), how to choose between them, and errors in each kind."""

import re
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.request import MediaType
from django.shortcuts import render
from django.template.loader import render_to_string

from tictactoe_site.logs import REQUEST_ID

_STATE = re.compile(r"/games/[0-9a-f-]{36}/state/")


class Refusal(Exception):
    """A request that can't be carried out: one sentence for the user, the HTTP status, and when to try again (or 0)."""

    def __init__(self, sentence: str, status: int = 400, *, wait: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.wait = wait  # seconds


class SeeOther(HttpResponseRedirect):
    """A 303 redirect after a form. Reloading the next page doesn't send the form again (RFC 9110, section 15.4.4)."""

    status_code = 303


def wants_json(request: HttpRequest) -> bool:
    """Whether the client prefers JSON to HTML, or asks for a game's state, which there is only as JSON."""
    return bool(_STATE.fullmatch(request.path)) or _prefers_json(request.headers.get("Accept", "*/*"))


@lru_cache(maxsize=1000)
def _prefers_json(accept: str) -> bool:
    """Compare the two by the rules of RFC 9110, section 12.5.1. ``axios`` wants JSON and then anything, for example."""
    try:
        ranges = [MediaType(text) for text in accept.split(",")]
    except (ValueError, LookupError):  # a parameter that names no charset (RFC 8187)
        return False

    def quality(kind: str) -> tuple[float, int]:
        """Return the quality of the most specific media range that matches, and how specific it is."""
        matching = [(each.specificity, each.quality) for each in ranges if each.match(kind)]
        specificity, quality = max(matching, default=(0, 0))
        return quality, specificity

    json, html = quality("application/json"), quality("text/html")
    return json > html or (json == html and json[1] > 1)  # Only scripts name JSON.


def wants_fragment(request: HttpRequest) -> bool:
    """Whether a script (move.js, or htmx) asks for a fragment. For the back button, htmx needs the whole page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def go_to(request: HttpRequest, url: str, data: dict[str, Any]) -> HttpResponse:
    """Return the response to a form that leads to another page: a redirect to ``url``, or ``data`` as JSON."""
    if wants_json(request):
        return JsonResponse(data)
    if wants_fragment(request):
        return HttpResponse(headers={"HX-Redirect": url})
    return SeeOther(url)


def retry_after(response: HttpResponse, seconds: int) -> HttpResponse:
    """Have the client try again after this time, if it isn't 0. Return the response."""
    if seconds:
        response["Retry-After"] = str(seconds)
    return response


def refuse(
    request: HttpRequest, status: int, sentence: str, *, names: tuple[str | None, ...] = (), **context: Any
) -> HttpResponse:
    """Return the error as a page, as a message that scripts show above the current page, or as JSON.

    ``names`` are the players' in the sentence. ``context`` has what error.html takes besides.
    """
    if wants_json(request):
        return JsonResponse({"error": sentence}, status=status)
    if wants_fragment(request):
        headers = {"HX-Retarget": "#message", "HX-Reswap": "innerHTML"}
        text = render_to_string("_sentence.html", {"sentence": sentence, "names": names})
        return HttpResponse(text, status=status, headers=headers)
    # An id that a player can quote and an operator can find in the log.
    reference = request.META.get(REQUEST_ID) if status >= 500 else None
    in_a_name = any(": " in (name or "") for name in names)
    what, advice = [*([sentence] if in_a_name else re.split(": (?=[a-z])", sentence, maxsplit=1)), ""][:2]
    said: dict[str, Any] = {"sentence": sentence, "what": what, "advice": advice, "names": names}
    said |= {"status": str(status), "reference": reference}
    optional = {"hint": "", "repeat": None, "log_in": False, "again": False, "is_error": True}
    return render(request, "error.html", optional | said | context, status=status)
