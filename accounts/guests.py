"""A guest who has claimed a name, or logged in with one, takes the running games along."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest

from accounts import sessions
from games import queries, store
from games.errors import NotFound, StoreUnavailable
from games.live import hints


def take_along(request: HttpRequest, player: str) -> None:
    """The games of the guest that the session's player was, if any are left. What fails is tried by the next lobby."""
    guest = sessions.was_guest(request)
    if not guest:
        return
    with suppress(StoreUnavailable):
        for game in queries.running(guest):
            with suppress(NotFound):  # It has been withdrawn meanwhile.
                hints.changed(store.adopt(game, guest=guest, name=player))
        sessions.is_guest_no_more(request)
