"""Gives every request its ``user``."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.names import new_guest
from accounts.sessions import User, current_user, log_in


class PlayerRequest(HttpRequest):
    """What views get: a request that has been through Identify."""

    user: User  # type: ignore[assignment]


class Identify:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PlayerRequest) -> HttpResponse:
        request.user = current_user(request)
        return self.get_response(request)


def become_guest(request: PlayerRequest) -> None:
    """A visitor goes on as a guest, with a session of their own."""
    log_in(request, new_guest())
    request.user = current_user(request)
