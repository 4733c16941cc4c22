"""Views of the account's page that need games: everything as JSON, and the end of the account."""

import json
from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse

from accounts import names, sessions, store
from accounts.account import AccountForm, AccountPage
from accounts.forms import Confirmed
from accounts.middleware import PlayerRequest
from accounts.models import Player
from accounts.views import leave
from games.pages.game import details, summary
from games.storage import queries


class ExportView(AccountPage):
    """Sends everything that is stored about the player, as a stream: it may take longer than a request may."""

    def get(self, request: PlayerRequest) -> StreamingHttpResponse:
        parts = _export(request.user.name, store.details(request.user.name))
        headers = {"Content-Disposition": f'attachment; filename="{request.user.name}.json"'}
        return StreamingHttpResponse(parts, content_type="application/json", headers=headers)


class DeleteView(AccountForm):
    """Ends the sessions first. Then the games in progress are resigned, and all get a placeholder for the name."""

    def act(self, request: PlayerRequest, name: str) -> HttpResponse:
        self.confirmed(request, Confirmed(request.POST))
        heir = store.retire(name, names.deleted(), assuming=store.in_session(sessions.generation(request)))
        response = leave(request)
        sessions.leave_behind(request, name, heir)  # games.middleware.TakeAlong does the rest
        return response


def _export(name: str, player: Player) -> Iterator[str]:
    about = {"player": name, "joined": player.joined, "blocked": sorted(player.blocked or ())}
    yield json.dumps(about)[:-1] + ', "games": ['
    entries = {entry.game_id: entry for entry in queries.of_player(name, None, queries.ALL)}
    game_ids, separator = list(entries), ""
    for start in range(0, len(game_ids), queries.MOST_AT_ONCE):
        batch = game_ids[start : start + queries.MOST_AT_ONCE]
        found = queries.games(batch)
        for game_id in batch:
            game = found.get(game_id)
            yield separator + json.dumps(summary(entries[game_id]) | (details(game) if game else {}))
            separator = ",\n"
    yield "]}\n"
