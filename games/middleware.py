"""The games' middleware: renamed players' games, and the one place where errors get their HTTP status."""

import logging
from contextlib import suppress
from urllib.parse import quote

from django.http import HttpResponse

from accounts.middleware import PlayerRequest
from accounts.sessions import forget_former, former
from dynamodb.errors import Rejected, StoreUnavailable
from games import errors, responses, rules
from games.storage.conflicts import LostRace
from games.storage.renaming import take_along
from tictactoe_site.http import refuse, wants_fragment, wants_json
from tictactoe_site.middleware import Middleware

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 2
# The fields that a page may send again: those of forms without a password, which are idempotent.
REPEATABLE_FIELDS = ("square", "position", "opponent", "game", "level", "pace", "as", "answer", "player", "undo")
STATUS = {
    errors.MalformedInput: 400,
    rules.Malformed: 400,
    errors.NotYours: 403,
    errors.NotFound: 404,
    errors.IllegalMove: 409,
    errors.UnreadableGame: 409,
    errors.TooManyInvitations: 409,
}


class TakeAlong(Middleware):
    """Gives a guest's games to their new name, and a deleted player's to a placeholder. The next requests try again."""

    def __call__(self, request: PlayerRequest) -> HttpResponse:
        left = former(request)
        if left:
            _take_along(request, *left)
        response = self.get_response(request)
        fresh = former(request)
        if fresh and fresh != left:
            _take_along(request, *fresh)
        if former(request) and not request.user.is_authenticated:
            response["Refresh"] = str(RETRY_AFTER_SECONDS)  # until all games of the deleted account are renamed
        return response


def _take_along(request: PlayerRequest, old: str, new: str) -> None:
    with suppress(StoreUnavailable):
        if take_along(old, new, request.now):
            forget_former(request)


class DomainErrors(Middleware):
    """Answers errors that a view raises: a lost race with the current game, the others with a sentence."""

    def process_exception(self, request: PlayerRequest, exc: Exception) -> HttpResponse | None:
        if isinstance(exc, LostRace):
            return responses.show(request, responses.page_of(request, exc.game), status=409, error=str(exc))
        if isinstance(exc, StoreUnavailable):
            logger.error("%s %s: %s", request.method, request.path, exc)
            if isinstance(exc, Rejected) and request.method == "POST":
                return refuse(request, 409, "The site can't save this: its operator finds the reason in the log.")
            return _unavailable(request)
        if isinstance(exc, errors.NotFound) and request.method == "GET" and wants_fragment(request):
            # The page polls for a game that is gone: load the page that says so, and stop polling.
            return HttpResponse(headers={"HX-Redirect": quote(request.path)})
        status = STATUS.get(type(exc))
        names, is_error = getattr(exc, "names", ()), getattr(exc, "is_error", True)
        return refuse(request, status, str(exc), names=names, is_error=is_error) if status else None


UNREACHABLE = "The games can't be reached just now"
TRY_AGAIN = f"{UNREACHABLE}: try again in a moment."
ASKS_AGAIN = "This page asks again by itself."
PERHAPS_DONE = "What you sent may have arrived all the same."


def _unavailable(request: PlayerRequest) -> HttpResponse:
    """Return a 503. A requested page retries by itself; a POST can be sent again, because it is idempotent."""
    sent = request.method == "POST"
    if wants_json(request):  # may lack a position and a new game's id, so a retry isn't safe
        response = refuse(request, 503, f"{TRY_AGAIN} {PERHAPS_DONE}" if sent else TRY_AGAIN)
    elif wants_fragment(request):
        kept = "Your move is kept: this page sends it again by itself."
        response = refuse(request, 503, f"{UNREACHABLE}. {kept if sent else ASKS_AGAIN}")
    elif sent:
        repeat = _repeatable(request)
        hint = PERHAPS_DONE if repeat is None else f"{PERHAPS_DONE} Sending it again is safe: it is done once."
        response = refuse(request, 503, TRY_AGAIN, hint=hint, repeat=repeat)
    else:
        response = refuse(request, 503, TRY_AGAIN, hint=ASKS_AGAIN)
        response["Refresh"] = str(RETRY_AFTER_SECONDS)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _repeatable(request: PlayerRequest) -> list[tuple[str, str]] | None:
    """Return the form's fields; None for a form with a password, which no page sends again."""
    if "password" in request.POST:
        return None
    return [(name, request.POST[name]) for name in REPEATABLE_FIELDS if name in request.POST]
