"""Middleware that sets ``request.user``."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.sessions import User, current_user, enter, go_on, has_ended, log_out, offered_guest
from tictactoe_site.middleware import Middleware


class PlayerRequest(HttpRequest):
    """A request after Identify. ``now`` is when it arrived: everything in the request uses this time."""

    user: User  # type: ignore[assignment]
    now: datetime


class Identify(Middleware):
    """Middleware that finds the user, and ends the session if it was ended elsewhere. A move doesn't wait for that."""

    MOVES = "/move/"  # the end of their path

    def __call__(self, request: PlayerRequest) -> HttpResponse:
        if has_ended(request, wait=not request.path.endswith(self.MOVES)):
            log_out(request)
        request.user, request.now = current_user(request), timezone.now()
        if request.user.is_authenticated and request.method == "POST":
            go_on(request)
        return self.get_response(request)


@contextmanager
def becoming_guest(request: PlayerRequest) -> Iterator[None]:
    """Let the visitor act as a guest in the block, and save the guest in the session unless the block raises."""
    guest = offered_guest(request)
    request.user = User(guest)
    try:
        yield
    except Exception:
        request.user = User()
        raise
    enter(request, guest)
