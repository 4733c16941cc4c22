"""How a request wants its answer (a page, an htmx fragment or JSON), and a refusal in each of the three forms."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.html import escape

from tictactoe_site.logs import REQUEST_ID

# What error.html says only where a caller gives it.
NO_MORE = {"hint": "", "repeat": None, "log_in": False}


class SeeOther(HttpResponseRedirect):
    """303: the answer to a form, so that reloading the next page sends nothing twice (RFC 9110, section 15.4.4)."""

    status_code = 303


def wants_json(request: HttpRequest) -> bool:
    preferred = request.get_preferred_type(["text/html", "application/json"])
    # Django matches no range that carries a parameter, such as application/json; charset=utf-8.
    accepted = request.headers.get("Accept", "") if preferred is None else preferred
    return "application/json" in accepted


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; not when it rebuilds the whole one for the back button."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def go_to(request: HttpRequest, url: str, data: dict[str, Any]) -> HttpResponse:
    """The answer to a form that changes the whole page: the page at ``url`` next, or the ``data`` as JSON."""
    if wants_json(request):
        return JsonResponse(data)
    if wants_fragment(request):
        return HttpResponse(headers={"HX-Redirect": url})
    return SeeOther(url)


def refuse(request: HttpRequest, status: int, sentence: str, **context: Any) -> HttpResponse:
    """The sentence as a page, as a message that htmx puts above what is there, or as JSON."""
    if wants_json(request):
        return JsonResponse({"error": sentence}, status=status)
    if wants_fragment(request):
        headers = {"HX-Retarget": "#message", "HX-Reswap": "innerHTML"}
        return HttpResponse(escape(sentence), status=status, headers=headers)
    # What a player can quote, and an operator look for in the log.
    reference = request.META.get(REQUEST_ID) if status >= 500 else None
    what, _, advice = sentence.partition(": ")
    said = {"sentence": sentence, "what": what, "advice": advice, "status": str(status), "reference": reference}
    return render(request, "error.html", NO_MORE | said | context, status=status)
