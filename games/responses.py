"""One game as a page, as the fragment that htmx puts into it, or as JSON."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.middleware import PlayerRequest
from accounts.sessions import offer_guest
from games import hints
from games.match import StoredMatch
from games.pages.game import GamePage, state
from games.pages.link import Link
from tictactoe_site.http import SeeOther, wants_fragment, wants_json


def url_of(game: StoredMatch) -> str:
    return reverse("game", args=[game.game_id])


def show(
    request: PlayerRequest,
    game: StoredMatch,
    *,
    rematch: StoredMatch | None = None,
    status: int = 200,
    error: str = "",
    unclaimed: bool = False,
) -> HttpResponse:
    """The game as the viewer may see it, with the sentence on what went wrong if something did."""
    page = GamePage(game, request.user.name, timezone.now(), rematch)
    if page.offers_seat:
        offer_guest(request)
    if wants_json(request):
        return JsonResponse(
            state(game) | {"position": page.position} | ({"error": error} if error else {}), status=status
        )
    template = "games/_game.html" if wants_fragment(request) else "games/game.html"
    link = Link(page, request.build_absolute_uri(url_of(game)))
    shown = {"page": page, "link": link, "error": error, "unclaimed": unclaimed, "still": "still" in request.GET}
    return render(request, template, shown, status=status)


def done(request: PlayerRequest, game: StoredMatch, *, created: bool = False) -> HttpResponse:
    """The answer to a POST that succeeded: JSON or the fragment as it now is, or a redirect to the page.

    Whoever watches the game is told, too.
    """
    hints.changed(game)
    if not (wants_json(request) or wants_fragment(request)):
        return SeeOther(url_of(game))
    response = show(request, game, status=201 if created and wants_json(request) else 200)
    if created:
        response["HX-Push-Url" if wants_fragment(request) else "Location"] = url_of(game)
    return response
