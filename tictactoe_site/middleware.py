"""What stands around every request: health, its line in the log, the setup page, and what browsers may keep."""

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
    """What all have in common: ``get_response`` is what stands further in."""

    def __init__(self, get_response: Callable[[Any], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        return self.get_response(request)


class Health(Middleware):
    """Answers ``/healthz/``: this process is up. No DynamoDB call, and before the Host header is looked at."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz/":
            return HttpResponse("ok\n", content_type="text/plain")
        return self.get_response(request)


class Log(Middleware):
    """A line for each request, whatever answers it, and its id in X-Request-ID, for players to quote.

    Health checks come every few seconds, and are answered before.
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


class Setup(Middleware):
    """While the configuration can't be used, every page says what to set."""

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
    """A page shows the game as it is, so browsers keep none: even the back button would show an old one unasked."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response.headers:
            patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Accept", "HX-Request"])
        return response
