"""The readiness check, and the error pages."""

import re

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from dynamodb import startup
from dynamodb.items import TableItem
from tictactoe_site.http import refuse

_PLACE = re.compile(r"(/games/(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|/replay/[0-8]+|/players/[\w-]+)\W*")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Return 200 if the site is ready, otherwise 503 and what to do about it. Minor problems are notes."""
    found = startup.check()
    problems = [*found.problems, *_missing_key(request)]
    if problems:
        answer = {"error": " ".join(problems), "problems": problems}
        return JsonResponse(answer, status=503, headers={"Retry-After": "5"})
    notes = {"notes": found.notes} if found.notes else {}
    return JsonResponse({"status": "ok", "table": TableItem.Meta.table_name} | notes)


@require_safe
def change_password(request: HttpRequest) -> HttpResponse:
    """Lead password managers to the form (https://w3c.github.io/webappsec-change-password-url)."""
    return redirect(f"{reverse('account')}#password")


def _missing_key(request: HttpRequest) -> list[str]:
    """Return a problem if a load balancer (.platform/nginx/conf.d/forwarded.conf) may have servers with other keys."""
    if settings.HAS_SHARED_KEY or request.headers.get("X-From-Balancer") != "1":
        return []
    problem = "[django] secret_key is not set, so the servers behind the load balancer log out each other's players"
    return [f"{problem}: give all the same key, in CONFIG_FILE or as the environment property SECRET_KEY."]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        return refuse(request, 400, "This site does not know the name it was asked for: its allowed_hosts lacks it.")
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return refuse(request, 413, "This is more than this site reads in one request: send less.")
    return refuse(request, 400, "The browser sent something this site can't read: go back and try again.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if reason.startswith(("Origin", "Referer")):
        sentence = "This form came from an address that this site doesn't trust: its operator can set https."
        return refuse(request, 403, sentence)
    if request.COOKIES:
        return refuse(request, 403, "This form is out of date: open it again.", again=True)
    return refuse(request, 403, "Your browser sent no cookie: allow cookies for this site, and open the page again.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Lead to the page if the address of one came with more, as addresses do that are copied from a sentence."""
    pasted = _PLACE.fullmatch(request.path)
    if pasted and request.method != "POST":
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(f"{pasted[1].lower()}/{query}")
    return refuse(request, 404, "We can't find that page.")


def server_error(request: HttpRequest) -> HttpResponse:
    return refuse(request, 500, "Something went wrong here, not with you: try again in a moment.")
