"""Middleware for every request: health check, log line, setup page, security policy, and cache headers."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers

from dynamodb import metering
from tictactoe_site import logs
from tictactoe_site.http import refuse, wants_fragment, wants_json


class Middleware:
    """The base class. ``get_response`` is the next middleware, or the view."""

    def __init__(self, get_response: Callable[[Any], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        return self.get_response(request)


class Health(Middleware):
    """Middleware that answers ``/healthz/`` if this process is up. It needs no DynamoDB call and accepts any Host."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz/":
            return HttpResponse("ok\n", content_type="text/plain")
        return self.get_response(request)


class Log(Middleware):
    """Middleware that logs a line per request, and sends its id in X-Request-ID for players to quote.

    Health checks, which come every few seconds, are answered earlier and not logged.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with logs.request(request.headers.get("X-Request-ID", "")) as request_id, metering.measured() as usage:
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


class ContentPolicy(Middleware):
    """Middleware that lets browsers load only what this site serves, and run no script that stands in a page."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = settings.CONTENT_SECURITY_POLICY
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


class Fresh(Middleware):
    """Middleware that forbids browsers to cache pages: the back button, for example, would show an outdated game."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response.headers:
            patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Accept", "HX-Request"])
        return response
