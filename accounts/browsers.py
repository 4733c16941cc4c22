"""The signed cookie of a browser that has logged in before.

Its wrong passwords are counted apart, so that a stranger who guesses can't lock the player out there.
"""

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE = f"{settings.SESSION_COOKIE_NAME}-browser"
OLD_COOKIES = [f"{name}-browser" for name in settings.OLD_SESSION_COOKIES]
AGE_SECONDS = 365 * 24 * 60 * 60
# How many players of one browser it remembers: the latest.
MOST = 5


def id_of(request: HttpRequest, name: str) -> str:
    """Return the browser's id if the player has logged in there before, otherwise an empty string."""
    browser, *names = _known(request)
    return browser if name in names else ""


def remember(request: HttpRequest, response: HttpResponse, name: str) -> HttpResponse:
    """Have the browser remember that the player has logged in. Return the response."""
    browser, *names = _known(request)
    latest = [name, *(each for each in names if each != name)][:MOST]
    value = " ".join([browser or secrets.token_urlsafe(12), *latest])
    response.set_signed_cookie(
        COOKIE,
        value,
        salt=COOKIE,
        max_age=AGE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _known(request: HttpRequest) -> list[str]:
    """Return the browser's id and the players' names, also from a cookie from before the key was changed."""
    for cookie in (COOKIE, *OLD_COOKIES):
        if value := request.get_signed_cookie(cookie, "", salt=cookie, max_age=AGE_SECONDS):
            return str(value).split(" ")
    return [""]
