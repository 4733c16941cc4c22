"""The kinds of response (a page, a fragment or JSON), how to choose between them, and errors in each kind."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.html import escape

from tictactoe_site.logs import REQUEST_ID


class SeeOther(HttpResponseRedirect):
    """A 303 redirect after a form. Reloading the next page doesn't send the form again (RFC 9110, section 15.4.4)."""

    status_code = 303


def wants_json(request: HttpRequest) -> bool:
    preferred = request.get_preferred_type(["text/html", "application/json"])
    # Django doesn't match media ranges with a parameter, such as application/json; charset=utf-8.
    accepted = request.headers.get("Accept", "") if preferred is None else preferred
    return "application/json" in accepted


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


def refuse(request: HttpRequest, status: int, sentence: str, **context: Any) -> HttpResponse:
    """Return the error as a page, as a message that scripts show above the current page, or as JSON."""
    if wants_json(request):
        return JsonResponse({"error": sentence}, status=status)
    if wants_fragment(request):
        headers = {"HX-Retarget": "#message", "HX-Reswap": "innerHTML"}
        return HttpResponse(escape(sentence), status=status, headers=headers)
    # An id that a player can quote and an operator can find in the log.
    reference = request.META.get(REQUEST_ID) if status >= 500 else None
    what, _, advice = sentence.partition(": ")
    said = {"sentence": sentence, "what": what, "advice": advice, "status": str(status), "reference": reference}
    optional = {"hint": "", "repeat": None, "log_in": False}
    return render(request, "error.html", optional | said | context, status=status)
