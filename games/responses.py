"""Responses with one game: as a page, as the fragment that scripts put into it, or as JSON."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from accounts.middleware import PlayerRequest
from accounts.sessions import offer_guest
from games import hints
from games.match import StoredMatch
from games.pages.game import GamePage, state
from games.pages.link import Link
from tictactoe_site.http import SeeOther, wants_fragment, wants_json
from tictactoe_site.jinja import url


def url_of(game: StoredMatch) -> str:
    return url("game", game.game_id)


def page_of(request: PlayerRequest, game: StoredMatch) -> GamePage:
    """Return the game's page for the user who requested it, at the time of the request."""
    return GamePage(game, request.user.name, request.now)


def show(
    request: PlayerRequest, page: GamePage, *, status: int = 200, error: str = "", unclaimed: bool = False
) -> HttpResponse:
    """Return a game as page, fragment or JSON, with an error if any. ``unclaimed``: nobody has the invited name yet."""
    if page.offers_seat:
        offer_guest(request)
    if wants_json(request):
        data = state(page.game) | {"position": page.position}
        return JsonResponse(data | ({"error": error} if error else {}), status=status)
    template = "games/_game.html" if wants_fragment(request) else "games/game.html"
    link = Link(page, request.build_absolute_uri(url_of(page.game)))
    context = link.context(error=error, unclaimed=unclaimed, still=bool(request.GET.get("still")))
    return render(request, template, context, status=status)


def done(request: PlayerRequest, game: StoredMatch, *, created: bool = False) -> HttpResponse:
    """Hint the game's watchers, and answer a successful POST: its new state as JSON or fragment, or a redirect."""
    hints.changed(game)
    if not (wants_json(request) or wants_fragment(request)):
        return SeeOther(url_of(game))
    response = show(request, page_of(request, game), status=201 if created and wants_json(request) else 200)
    if created:
        response["HX-Push-Url" if wants_fragment(request) else "Location"] = url_of(game)
    return response
