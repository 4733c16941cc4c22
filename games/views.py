"""Pages and actions: load, authorise, let rules and store decide, respond. DynamoDB is hidden below."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page

from accounts.middleware import PlayerRequest, becoming_guest
from accounts.names import is_guest, is_name
from accounts.sessions import offer_guest
from accounts.store import is_claimed
from games import hints, rules
from games.errors import IllegalMove, MalformedInput, NotFound, TooManyInvitations
from games.forms import NewGame
from games.match import Match, StoredMatch
from games.pages.board import rows
from games.pages.game import LEVELS_SAID, GamePage, state
from games.pages.lobby import LobbyPage
from games.pages.player import ProfilePage
from games.pages.replay import ReplayPage
from games.responses import done, page_of, show, url_of
from games.rules.computer import NAME as COMPUTER
from games.signing import new_game, rematch_of, unsigned
from games.storage import limits, queries, records, store, upkeep
from games.storage import lobby as lobbies
from games.storage.conflicts import LostRace
from tictactoe_site.http import SeeOther, go_to, refuse, wants_fragment, wants_json

# What stands behind an address in a sentence, and is copied with it.
BEHIND = ".,;:!?)]'\""


class HomeView(View):
    """Shows the lobby, or with ``?before=`` or ``?after=`` another page of it; shows visitors the welcome page."""

    def get(self, request: PlayerRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return _welcome(request)
        player, now = request.user.name, request.now
        before, after = request.GET.get("before", ""), request.GET.get("after", "")
        paged = bool(before or after)
        found = lobbies.page(player, now, before=before, after=after) if paged else lobbies.newest(player, now)
        found = upkeep.end_late(found, player, now)
        if not paged:
            computer = sum(bool(game.computer) for game in (*found.playing, *found.unread))
            limits.note(player, sent=len(found.sent), received=len(found.received), computer=computer)
        page = LobbyPage(found, player, now)
        if wants_json(request):
            return JsonResponse(page.summary)
        if wants_fragment(request) and request.GET.get("since") == page.version:
            return HttpResponse(status=204)
        template = "games/_lobby.html" if wants_fragment(request) else "games/lobby.html"
        return render(request, template, {"page": page, "paged": paged, "new_game": new_game})


class GameView(View):
    """Shows a game to its players and spectators; ``?move=5`` shows it after its fifth move."""

    def get(self, request: PlayerRequest, game_id: UUID) -> HttpResponse:
        game = upkeep.open_game(str(game_id), request.now, viewer=request.user.name)
        if "move" in request.GET:
            return _replay(request, game.moves, url_of(game), game)
        page = page_of(request, game)
        if page.hopes:
            next_id = rematch_of(game.game_id)
            page = replace(page, rematch=queries.games([next_id]).get(next_id))
        if wants_fragment(request) and request.GET.get("since") == str(page.version):
            return HttpResponse(status=204)  # Nothing new: leave the page and its focus alone.
        unclaimed = page.waits_for_a_player and not is_claimed(page.other)
        return show(request, page, unclaimed=unclaimed)


@method_decorator([conditional_page, cache_control(private=True, no_cache=True)], name="dispatch")
class StateView(View):
    """Shows the game as JSON with an ETag, and answers 304 if it hasn't changed."""

    def get(self, request: PlayerRequest, game_id: UUID) -> HttpResponse:
        return JsonResponse(state(upkeep.open_game(str(game_id), request.now, viewer=request.user.name)))


class EventsView(View):
    """Refuses an event stream that reached a page-serving process, so that the page polls instead."""

    def get(self, request: PlayerRequest, game_id: UUID | None = None) -> HttpResponse:
        sentence = "Events are served by the live process: this page asks by itself meanwhile."
        return HttpResponse(f"{sentence}\n", status=503, content_type="text/plain", headers={"Retry-After": "30"})


class ReplayView(View):
    """Replays a whole game from its moves alone, without the table."""

    def get(self, request: PlayerRequest, moves: str) -> HttpResponse:
        plain = moves.rstrip(BEHIND)
        if plain.isdigit() and plain != moves:
            return redirect("replay", plain)
        try:
            return _replay(request, moves, request.path)
        except (rules.Malformed, IllegalMove) as exc:
            raise type(exc)("This link holds no game: ask for it again, or play one.") from exc


class PlayerView(View):
    """Shows a player's record, score against the viewer, and finished games; ``?before=`` shows the next page."""

    def get(self, request: PlayerRequest, name: str) -> HttpResponse:
        plain = name.casefold().rstrip(BEHIND)
        if is_name(plain) and name != plain:
            return redirect("player", plain)
        if is_guest(name) or name == COMPUTER:
            raise NotFound("Only players with an account have a page.")
        if not (is_name(name) and is_claimed(name)):
            raise NotFound(f"Nobody has the name {name:.20} yet.", name[:20])
        before = request.GET.get("before", "")
        history = lobbies.history(name, before)  # before failing writes use up the time limit
        page = ProfilePage(records.of(name, request.now), *history, viewer=request.user.name)
        if wants_json(request):
            return JsonResponse(page.summary)
        return render(request, "games/player.html", {"page": page, "paged": bool(before), "new_game": new_game})


class PlayersView(View):
    """Lets in only players and guests. A form with ``as=guest`` makes a visitor a guest on the way."""

    request: PlayerRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asks = request.method in ("GET", "HEAD") and hasattr(self, "get")
        acts = request.method == "POST" and hasattr(self, "post")
        if acts and request.POST.get("as") == "guest" and not self.request.user.is_authenticated:
            with becoming_guest(self.request):
                return super().dispatch(request, *args, **kwargs)
        if self.request.user.is_authenticated or not (asks or acts):
            return super().dispatch(request, *args, **kwargs)
        if asks:
            return SeeOther(reverse("login", query={"next": request.path}))
        return refuse(request, 403, "Log in, or play as a guest, and try again.", log_in=True)


class NewGameView(PlayersView):
    def get(self, request: PlayerRequest) -> HttpResponse:
        return render(request, "games/new.html", {"form": NewGame(request.user.name)})

    def post(self, request: PlayerRequest) -> HttpResponse:
        form = NewGame(request.user.name, request.POST)
        if not form.is_valid():
            # A visitor's form is on the welcome page, but this page is for players.
            if wants_json(request) or wants_fragment(request) or "as" in request.POST:
                raise MalformedInput(form.sentence)
            return render(request, "games/new.html", {"form": form}, status=400)
        return done(request, _started(request, form), created=True)


class AcceptView(PlayersView):
    def post(self, request: PlayerRequest, game_id: UUID) -> HttpResponse:
        shown = _shown(request, game_id)
        return done(request, store.accept(str(game_id), player=request.user.name, shown=shown))


class DeclineView(PlayersView):
    withdraw = staticmethod(store.decline)

    def post(self, request: PlayerRequest, game_id: UUID) -> HttpResponse:
        self.withdraw(str(game_id), player=request.user.name)
        hints.withdrawn(str(game_id))
        return go_to(request, reverse("home"), {"gameId": str(game_id), "status": None})


class CancelView(DeclineView):
    withdraw = staticmethod(store.cancel)


class ResignView(PlayersView):
    def post(self, request: PlayerRequest, game_id: UUID) -> HttpResponse:
        match = _acted_in(request, game_id)
        return done(request, store.resign(match, player=request.user.name))


class RematchView(PlayersView):
    """Creates or joins the next game between the two, which is the same for both. ``answer=no`` declines it."""

    def post(self, request: PlayerRequest, game_id: UUID) -> HttpResponse:
        match, player, next_id = _shown(request, game_id), request.user.name, rematch_of(str(game_id))
        if request.POST.get("answer") == "no":
            with suppress(NotFound):  # The other has just withdrawn it.
                store.decline(next_id, player=player)
            hints.withdrawn(next_id)
            return go_to(request, reverse("game", args=[game_id]), {"gameId": next_id, "status": None})
        if match is None or _is_outdated(match, player):
            match = upkeep.write_due(queries.game(str(game_id)), request.now, viewer=player)
        rematch = partial(store.rematch, match, player=player, game_id=next_id)
        try:
            game = _within_limits(request, match.other_than(player), next_id, rematch)
        except LostRace as exc:  # The game with the rematch's id may be none of the player's business.
            over = upkeep.open_game(str(game_id), request.now, viewer=player)
            return show(request, page_of(request, over), status=409, error=str(exc))
        return done(request, game, created=True)


class MoveView(PlayersView):
    """Makes a move with one UpdateItem. If the form has no position, a consistent read comes first."""

    def post(self, request: PlayerRequest, game_id: UUID) -> HttpResponse:
        square = rules.square_named(request.POST.get("square", ""))
        match = _acted_in(request, game_id)
        try:
            return done(request, store.move(match, player=request.user.name, square=square))
        except IllegalMove as exc:
            game = upkeep.open_game(str(game_id), request.now, viewer=request.user.name)
            if game.has_just_played(request.user.name, square):
                return done(request, game)
            return show(request, page_of(request, game), status=409, error=str(exc))


def _is_outdated(match: Match, player: str) -> bool:
    """Whether a finished game's position is of an earlier version, without a result, or may have an earlier name."""
    return match.stored_result is None or player not in match.players or is_guest(match.other_than(player))


def _started(request: PlayerRequest, form: NewGame) -> StoredMatch:
    host, fields = form.host, form.cleaned_data
    opponent, game_id = fields["opponent"] or None, fields["game"]
    if opponent == COMPUTER:
        start = partial(store.challenge_computer, level=fields["level"], square=fields["square"])
    else:
        start = partial(store.invite, opponent=opponent, pace=fields["pace"])
    return _within_limits(request, opponent, game_id, partial(start, host=host, game_id=game_id))


def _within_limits(
    request: PlayerRequest, opponent: str | None, game_id: str | None, start: Callable[[], StoredMatch]
) -> StoredMatch:
    """Return the game that ``start`` creates, if the limits allow it or a repeated request finds it there."""
    try:
        with limits.one_more(request.now, host=request.user.name, opponent=opponent):
            return start()
    except TooManyInvitations:
        is_there = False
        with suppress(NotFound):
            is_there = game_id is not None and not queries.game(game_id).expired(request.now)
        if not is_there:
            raise
        return start()


def _welcome(request: PlayerRequest) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"player": None})
    if wants_fragment(request):
        # The user has just logged out in another tab: the lobby's poll mustn't put a whole page into this one.
        return HttpResponse(headers={"HX-Redirect": reverse("home")})
    offer_guest(request)
    board = rows(rules.Position(), playable=True)
    return render(request, "games/welcome.html", {"rows": board, "levels": LEVELS_SAID, "new_game": new_game})


def _shown(request: PlayerRequest, game_id: UUID) -> Match | None:
    """Return the position that the player's page shows, if the form has it."""
    text = request.POST.get("position")
    return unsigned(text, game_id=str(game_id)) if text else None


def _acted_in(request: PlayerRequest, game_id: UUID) -> Match:
    """Return the position that the player acts on: the one shown, or else the stored game.

    If the page is older than the player's name (claimed in another tab), update its names from the stored game.
    """
    shown, player = _shown(request, game_id), request.user.name
    if shown and (player in shown.players or None in shown.players):
        return shown
    now = queries.game(str(game_id))
    return replace(shown, host=now.host, opponent_id=now.opponent_id, o_user=now.o_user) if shown else now


def _replay(request: PlayerRequest, moves: str | None, url: str, game: StoredMatch | None = None) -> HttpResponse:
    if moves is None:
        raise NotFound("Nobody recorded the order of this game's moves, so it can't be replayed.")
    shown = request.GET.get("move", str(len(moves))).rstrip(BEHIND)
    if not (shown.isascii() and shown.isdigit() and len(shown) < 3 and int(shown) <= len(moves)):
        raise MalformedInput(f"There is no such move: this game has moves 0 to {len(moves)}.")
    seen = GamePage(game, "", request.now) if game else None
    page = ReplayPage(moves, int(shown), *((seen.winning_mark, seen.ending_sentence) if seen else ()))
    link = request.build_absolute_uri(reverse("replay", args=[moves])) if moves else ""
    return render(request, "games/replay.html", {"page": page, "seen": seen, "address": url, "link": link})
