"""Turns what the domain raises into answers: one place where an error gets its HTTP status."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpResponse

from accounts.middleware import PlayerRequest
from games import errors, responses, rules
from tictactoe_site.answers import refuse, wants_fragment

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
STATUS = {
    errors.MalformedInput: 400,
    rules.Malformed: 400,
    errors.NotYours: 403,
    errors.NotFound: 404,
    errors.IllegalMove: 409,
    errors.UnreadableGame: 409,
}


class DomainErrors:
    def __init__(self, get_response: Callable[[PlayerRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PlayerRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: PlayerRequest, exc: Exception) -> HttpResponse | None:
        if isinstance(exc, errors.LostRace):
            try:
                return responses.show(request, exc.game, status=409, error=str(exc))
            except errors.UnreadableGame as unreadable:
                exc = unreadable
        if isinstance(exc, errors.StoreUnavailable):
            logger.error("%s %s: %s", request.method, request.path, exc)
            response = refuse(request, 503, "The games can't be reached just now: try again in a moment.")
            response["Retry-After"] = str(RETRY_AFTER_SECONDS)
            return response
        if isinstance(exc, errors.NotFound) and request.method == "GET" and wants_fragment(request):
            # A page that waits for a game that is gone: load the page that says so, and ask no more.
            return HttpResponse(headers={"HX-Redirect": request.path})
        status = STATUS.get(type(exc))
        return refuse(request, status, str(exc)) if status else None
