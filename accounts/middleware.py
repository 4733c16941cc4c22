"""Gives every request its ``user``."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.sessions import User, current_user, enter, go_on, offered_guest
from tictactoe_site.middleware import Middleware


class PlayerRequest(HttpRequest):
    """What views get: a request that has been through Identify. ``now`` is when it came, for all that it does."""

    user: User  # type: ignore[assignment]
    now: datetime


class Identify(Middleware):
    def __call__(self, request: PlayerRequest) -> HttpResponse:
        request.user, request.now = current_user(request), timezone.now()
        if request.user.is_guest and request.method == "POST":
            go_on(request)
        return self.get_response(request)


@contextmanager
def becoming_guest(request: PlayerRequest) -> Iterator[None]:
    """In the block a visitor acts as a guest, and is that guest afterwards, unless the block raises: who was refused
    what they asked for is still a visitor.
    """
    guest = offered_guest(request)
    request.user = User(guest)
    try:
        yield
    except Exception:
        request.user = User()
        raise
    enter(request, guest)
