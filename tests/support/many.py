"""Store many games at once, bypassing the site, and read its lists by following the links."""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from pynamodb.expressions.update import Action

from games.match import Status
from games.models import Game
from tests.support.pages import JSON

START = datetime(2026, 1, 1, tzinfo=UTC)
LISTS = ("invitations", "waiting", "playing", "finished")
# The query parameter for the cursor of that name in a page's JSON.
PARAMETERS = {"older": "before", "newer": "after"}


def game_of(status: Status, second: int, host: str, opponent: str | None, **attributes: Any) -> Game:
    """Return an unstored game whose status began that many seconds after START."""
    over = status is Status.FINISHED
    usual = {
        "status_date": status.dated(START + timedelta(seconds=second)),
        "o_user": host,
        "turn": "N/A" if over else opponent,
        "result": host if over else None,
    }
    return Game(
        str(uuid.uuid4()),
        host_id=host,
        opponent_id=opponent,
        recorded_moves="",
        **usual | attributes,
    )


def put(games: Iterable[Game]) -> list[str]:
    """Store the games; return their ids in the same order."""
    games = list(games)
    with Game.batch_write() as batch:
        for game in games:
            batch.save(game)
    return [game.game_id for game in games]


def move_on(game_id: str, status: Status) -> str:
    """Set the game's status as of now, with a tie as the result if finished; return its id."""
    actions: list[Action] = [Game.status_date.set(status.dated(datetime.now(UTC)))]
    if status is Status.FINISHED:
        actions.append(Game.result.set("Tie"))
    Game(game_id).update(actions, Game.game_id.exists())
    return game_id


def links(page: str) -> dict[str, str]:
    """Return the URLs of the page's links Newer games, Older games and Back to your games, by text."""
    found = re.findall(r'href="(/(?:\?[^"]*)?)">(Newer games|Older games|Back to your games)<', page)
    return {name: address for address, name in found}


def pages(client: Client, way: str, start: str = "/") -> Iterator[tuple[str, list[str]]]:
    """Yield the URL and game ids of each page from ``start``, following ``Older games`` or ``Newer games``."""
    address: str | None = start
    while address:
        page = client.get(address).content.decode()
        yield address, re.findall(r'id="game-([^"]+)"', page)
        address = links(page).get(way)


def summaries(client: Client, way: str, start: str = "") -> Iterator[dict[str, Any]]:
    """Yield each page in JSON, following its ``older`` or ``newer`` cursor."""
    place: str | None = start
    while place is not None:
        page: dict[str, Any] = client.get("/", {PARAMETERS[way]: place} if place else {}, headers=JSON).json()
        yield page
        place = page[way]


def ids(page: dict[str, Any]) -> list[str]:
    return [game["gameId"] for name in LISTS for game in page[name]]


def walked(found: Iterable[list[str]], between: Callable[[], object] = lambda: None) -> list[str]:
    """Return the ids of all pages in order; call ``between`` after each page."""
    seen: list[str] = []
    for page in found:
        seen += page
        between()
    return seen
