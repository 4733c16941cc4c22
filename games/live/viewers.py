"""The viewer who opens a stream, read from the request as the pages read it: session, CSRF cookie, host and address."""

from io import BytesIO
from typing import Any, NamedTuple

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token

from accounts.sessions import Sessions, current_user, has_ended
from accounts.views import address_of


class Viewer(NamedTuple):
    """A viewer. ``name`` is empty if not logged in. ``token`` is for a fragment's forms, ``base`` for its links.

    ``has_other_servers`` is whether they come through a load balancer, so that their next stream may be elsewhere.
    """

    name: str
    token: str
    base: str
    address: str
    since: str
    looking: bool
    has_other_servers: bool = False


def viewer_of(scope: dict[str, Any]) -> Viewer:
    """Return the viewer, perhaps after a read of their item. Raises SuspiciousOperation for a host that isn't ours."""
    request = ASGIRequest(scope, BytesIO())
    base = request.build_absolute_uri("/")
    _sessions.process_request(request)
    _forms.process_request(request)
    return Viewer(
        name="" if has_ended(request) else current_user(request).name,
        token=get_token(request) if settings.CSRF_COOKIE_NAME in request.COOKIES else "",
        base=base,
        address=address_of(request),
        since=request.headers.get("Last-Event-ID") or request.GET.get("since", ""),
        looking=bool(request.GET.get("looking")),
        has_other_servers=request.headers.get("X-From-Balancer") == "1",
    )


# They only read the request: Django doesn't handle the stream's response.
_sessions = Sessions(HttpResponse)
_forms = CsrfViewMiddleware(HttpResponse)
