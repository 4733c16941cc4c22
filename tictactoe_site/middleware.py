"""Middleware for every request: health check, log line, setup page, headers, and requests that no view reads."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.middleware.security import SecurityMiddleware
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_cache_control, patch_vary_headers

from dynamodb import metering, retries
from tictactoe_site import logs
from tictactoe_site.http import SeeOther, refuse, wants_fragment, wants_json

METHODS = ("GET", "HEAD", "OPTIONS", "POST")
LONGEST_URL = 2000
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Middleware:
    """The base class. ``get_response`` is the next middleware, or the view."""

    def __init__(self, get_response: Callable[[Any], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        return self.get_response(request)


class Health(Middleware):
    """Middleware that answers ``/healthz/`` without a DynamoDB call. Health checks come by IP, so it accepts any Host.

    It also drops the body of a response to HEAD, about which gunicorn would warn, and leads to the start page instead
    of to an address that doesn't fit into the 4 KB that nginx has for all headers.
    """

    def __init__(self, get_response: Callable[[Any], HttpResponse]) -> None:
        super().__init__(get_response)
        self.alive: Any = SecurityMiddleware(lambda request: HttpResponse("ok\n", content_type="text/plain"))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/readyz/":
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip(".")
        response = self.alive(request) if request.path_info == "/healthz/" else self.get_response(request)
        if request.method == "HEAD" and not response.streaming:
            response.content = b""
        for name in ("Location", "HX-Redirect"):
            if len(response.headers.get(name, "")) > LONGEST_URL:
                response.headers[name] = "/"
        return response


class Log(Middleware):
    """Middleware that limits a request's time, logs it, and sends its id for players to quote. Not health checks."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        with logs.request(given) as request_id, metering.measured() as usage, retries.within(retries.REQUEST_SECONDS):
            request.META[logs.REQUEST_ID] = request_id
            started = time.perf_counter()
            response = self.get_response(request)
            logs.answered(
                player=getattr(getattr(request, "user", None), "name", ""),
                method=request.method or "",
                route=f"/{request.resolver_match.route}" if request.resolver_match else None,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1),
                dynamodb_calls=usage.calls,
                read_units=usage.read_units,
                write_units=usage.write_units,
            )
        response["X-Request-ID"] = request_id
        return response


class Headers(Middleware):
    """Middleware for all pages' headers: what a browser may load, and that it keeps no page, which soon is outdated."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = settings.CONTENT_SECURITY_POLICY
        if not wants_fragment(request):  # A move's answer is no document, and should fit into few packets.
            response.headers["Permissions-Policy"] = settings.PERMISSIONS_POLICY
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if "Cache-Control" not in response.headers:
            patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Accept", "HX-Request"])
        return response


class Setup(Middleware):
    """Middleware that shows on every page what to configure, as long as the configuration can't be used."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        problem = settings.SETUP_PROBLEM
        if not problem:
            return self.get_response(request)
        if request.path_info == "/readyz/":
            response: HttpResponse = JsonResponse({"error": problem, "problems": [problem]}, status=503)
        elif wants_json(request) or wants_fragment(request):
            response = refuse(request, 503, problem)
        else:
            response = render(request, "setup.html", {"problem": problem}, status=503)
        response["Retry-After"] = "60"
        return response


class Readable(Middleware):
    """Middleware that refuses what no view reads: other methods, and bodies that Django takes for empty forms."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = _refusal(request) or self.get_response(request)
        if response.status_code != 405:
            return response
        if request.method in ("GET", "HEAD") and not wants_json(request):  # as from a restored tab
            game = request.resolver_match.kwargs if request.resolver_match else {}
            return SeeOther(resolve_url("game" if game else "home", **game))
        allowed = response.headers["Allow"]
        response = refuse(request, 405, f"This address takes no {request.method}: go back and try again.")
        response["Allow"] = allowed
        return response


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    if request.method != "POST":
        return None
    if "Transfer-Encoding" in request.headers:
        return refuse(request, 411, "This form came in chunks: send it with its Content-Length.")
    is_utf8 = (request.content_params or {}).get("charset", "utf-8").lower() in ("utf-8", "utf8")
    is_form = request.content_type in FORMS and is_utf8 and "Content-Encoding" not in request.headers
    if request.META.get("CONTENT_LENGTH") not in (None, "", "0") and not is_form:
        return refuse(request, 415, f"This site reads only forms: send {FORMS[0]} in UTF-8, uncompressed.")
    return None
