"""Who is asking. The session is a signed cookie that holds a name, and little else."""

import time
from dataclasses import dataclass

from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from accounts.names import is_guest, new_guest

_KEY = "player"
_GUEST = "guest"
_OFFERED = "offered"
_SINCE = "since"
_DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class User:
    """``request.user``: a player, a guest, or nobody, whose name is empty."""

    name: str = ""

    @property
    def is_authenticated(self) -> bool:
        return bool(self.name)

    @property
    def is_guest(self) -> bool:
        return is_guest(self.name)


def current_user(request: HttpRequest) -> User:
    name = request.session.get(_KEY, "")
    return User(name) if isinstance(name, str) else User()


def log_in(request: HttpRequest, name: str, *, once: str = "") -> None:
    """Start a session of its own for ``name``: nothing of an earlier one, nor its CSRF token, lives on.

    ``once`` is the guest that the player was, whose games are still to be taken along.
    """
    _begin(request, name)
    if once:
        request.session[_GUEST] = once
    rotate_token(request)


def offer_guest(request: HttpRequest) -> None:
    """The visitor's page has something that makes a guest of who presses it: decide which one.

    The name is in the visitor's own cookie, and in no page, so that a press that is sent twice is the same guest's.
    """
    if _OFFERED not in request.session:
        request.session[_OFFERED] = new_guest()


def offered_guest(request: HttpRequest) -> str:
    """The guest that the visitor will be; a new one where no page offered any."""
    return str(request.session.get(_OFFERED) or new_guest())


def enter(request: HttpRequest, guest: str) -> None:
    """The visitor is this guest from now on."""
    _begin(request, guest)
    # The CSRF token stays, or a second press would be refused: a visitor's could do nothing that a guest's can't.


def go_on(request: HttpRequest) -> None:
    """The guest acts, so the session is to last from now on: a new cookie, once a day."""
    if time.time() - request.session.get(_SINCE, 0) >= _DAY:
        request.session[_SINCE] = int(time.time())


def was_guest(request: HttpRequest) -> str:
    """The guest whose games are still to be taken along; empty where there is none."""
    return str(request.session.get(_GUEST, ""))


def forget_guest(request: HttpRequest) -> None:
    """All of the guest's games have been taken along."""
    request.session.pop(_GUEST, None)


def _begin(request: HttpRequest, name: str) -> None:
    request.session.flush()
    request.session[_KEY] = name
    if is_guest(name):
        request.session[_SINCE] = int(time.time())


def log_out(request: HttpRequest) -> None:
    request.session.flush()
    rotate_token(request)
