"""The user of a request. The session is a signed cookie that holds a name and little else."""

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
    """The type of ``request.user``: a player, a guest, or a visitor, whose name is empty."""

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
    """Start a fresh session for ``name``. Nothing of the old one remains, not even the CSRF token.

    ``once`` is the player's former guest name: that guest's games must still be moved to the player.
    """
    enter(request, name)
    if once:
        request.session[_GUEST] = once
    rotate_token(request)


def offer_guest(request: HttpRequest) -> None:
    """Choose a guest name for a visitor whose page has a button that makes them a guest.

    The name is only in the visitor's cookie. If the browser sends the button's form twice, both make the same guest.
    """
    if _OFFERED not in request.session:
        request.session[_OFFERED] = new_guest()


def offered_guest(request: HttpRequest) -> str:
    """Return the guest name chosen for the visitor, or a new one if none was chosen yet."""
    return str(request.session.get(_OFFERED) or new_guest())


def enter(request: HttpRequest, name: str) -> None:
    """Start a new session for the name. It keeps the CSRF token, so that a visitor's double click isn't refused."""
    request.session.flush()
    request.session[_KEY] = name
    if is_guest(name):
        request.session[_SINCE] = int(time.time())


def go_on(request: HttpRequest) -> None:
    """Extend an active guest's session: set a new cookie, at most once a day."""
    if time.time() - request.session.get(_SINCE, 0) >= _DAY:
        request.session[_SINCE] = int(time.time())


def was_guest(request: HttpRequest) -> str:
    """Return the guest whose games must still be moved to the player, or an empty string."""
    return str(request.session.get(_GUEST, ""))


def forget_guest(request: HttpRequest) -> None:
    """Forget the former guest name, once all of that guest's games have been moved."""
    request.session.pop(_GUEST, None)


def log_out(request: HttpRequest) -> None:
    request.session.flush()
    rotate_token(request)
