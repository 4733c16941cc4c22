"""The user of a request. The session is a signed cookie that holds a name and little else."""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token

from accounts import generations
from accounts.names import is_guest, new_guest

_KEY = "player"
_GENERATION = "generation"
_GUEST = "guest"
_HEIR = "heir"
_OFFERED = "offered"
_SINCE = "since"
_WELCOME = "welcome"


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


class Sessions(SessionMiddleware):
    """Django's middleware, with cookies of a name that no other site on this host has.

    A session under another of ``OLD_SESSION_COOKIES`` is taken over: from before, or from before the key was changed.
    So is a CSRF cookie, or the forms of open pages would be refused. Only the new cookies remain.
    """

    def process_request(self, request: Any) -> None:
        super().process_request(request)
        cookies, request.taken_over = request.COOKIES, []
        for name in settings.OLD_SESSION_COOKIES:
            if name in cookies and settings.SESSION_COOKIE_NAME not in cookies:
                found = self.SessionStore(cookies[name])
                if _KEY in found:  # A cookie that we didn't sign is another site's.
                    found.modified = True
                    request.session = found
                    request.taken_over.append(name)
        for name in settings.OLD_CSRF_COOKIES:
            if name in cookies and settings.CSRF_COOKIE_NAME not in cookies:
                cookies[settings.CSRF_COOKIE_NAME] = cookies[name]
                request.META["CSRF_COOKIE_NEEDS_UPDATE"] = True
                request.taken_over.append(name)

    def process_response(self, request: Any, response: HttpResponse) -> HttpResponse:
        for name in getattr(request, "taken_over", ()):
            response.delete_cookie(name, samesite=settings.SESSION_COOKIE_SAMESITE)
        return super().process_response(request, response)


def current_user(request: HttpRequest) -> User:
    """Return the user of the session, who may have ended it elsewhere (``has_ended``)."""
    name = request.session.get(_KEY, "")
    return User(name) if isinstance(name, str) else User()


def generation(request: HttpRequest) -> str | None:
    """Return the generation of the player's item that the session began with."""
    found = request.session.get(_GENERATION)
    return found if isinstance(found, str) else None


def has_ended(request: HttpRequest, *, wait: bool = True) -> bool:
    """Whether the session of a player has been ended. Without ``wait``, the player's item isn't read first."""
    user = current_user(request)
    return bool(user.name and not user.is_guest) and generations.has_ended(user.name, generation(request), wait=wait)


def log_in(request: HttpRequest, name: str, *, once: str = "") -> None:
    """Start a new session, with a new CSRF token. ``once`` is who the player was as a guest: those games come along."""
    enter(request, name)
    if once:
        request.session[_GUEST], request.session[_WELCOME] = once, True
    rotate_token(request)


def is_new_here(request: HttpRequest) -> bool:
    """Whether a guest has just become this player. It's true once."""
    return bool(request.session.pop(_WELCOME, False))


def offer_guest(request: HttpRequest) -> None:
    """Choose a guest name, which the cookie keeps: if the button's form is sent twice, both make the same guest."""
    if _OFFERED not in request.session:
        request.session[_OFFERED] = new_guest()


def offered_guest(request: HttpRequest) -> str:
    """Return the guest name chosen for the visitor, or a new one if none was chosen yet."""
    return str(request.session.get(_OFFERED) or new_guest())


def enter(request: HttpRequest, name: str) -> None:
    """Start a new session for the name. It keeps the CSRF token, so that a visitor's double click isn't refused."""
    request.session.flush()
    request.session[_KEY] = name
    request.session[_SINCE] = int(time.time())
    if not is_guest(name) and (account := generations.of(name)):
        request.session[_GENERATION] = account.generation


def go_on(request: HttpRequest) -> None:
    """Extend the session of somebody who plays: set a new cookie, at most once a day."""
    if time.time() - request.session.get(_SINCE, 0) >= 24 * 60 * 60:
        request.session[_SINCE] = int(time.time())


def leave_behind(request: HttpRequest, name: str, heir: str) -> None:
    """After logging out for good: the former player's games must still be given to ``heir``."""
    request.session[_GUEST], request.session[_HEIR] = name, heir


def former(request: HttpRequest) -> tuple[str, str] | None:
    """Return the user's former name, whose games must still be renamed, and the name that they go to; None if none."""
    name = request.session.get(_GUEST)
    return (str(name), str(request.session.get(_HEIR) or current_user(request).name)) if name else None


def forget_former(request: HttpRequest) -> None:
    """Forget the former name, once all of its games have been renamed."""
    request.session.pop(_GUEST, None)
    request.session.pop(_HEIR, None)


def log_out(request: HttpRequest) -> None:
    request.session.flush()
    rotate_token(request)
