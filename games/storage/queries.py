"""Reads of games, other than ``lobby``'s lists: one game by id, many by their ids, counts, and the operator's lists."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

from pynamodb.expressions.condition import Condition

from accounts.names import GUEST_PREFIX
from dynamodb.errors import StoreUnavailable
from dynamodb.items import RawItem, absent
from dynamodb.reasons import unavailable
from games.errors import GONE, NotFound, UnreadableGame
from games.match import Entry, Status, StoredMatch
from games.models import Game, HostIndex
from games.storage.expressions import is_kept
from games.storage.indexes import from_both_indexes

# The limit of one BatchGetItem (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
MOST_AT_ONCE = 100
ALL = sys.maxsize
# How many games show whether two have played each other.
MOST_LOOKED_THROUGH = 200
# Before DynamoDB is asked again for what it left out of a batch. It leaves out more if it's asked again at once.
PAUSES_SECONDS = (0.1, 0.3)


class Unprocessed(StoreUnavailable):
    """DynamoDB leaves games out of its batches, because the table is throttled. ``found`` has the others."""

    def __init__(self, found: dict[str, StoredMatch | None], left: list[str]) -> None:
        super().__init__(f"DynamoDB is throttling reads of the table: it left out {len(left)} games.")
        self.found = found
        self.left = left


def game(game_id: str) -> StoredMatch:
    """Return the game, by a consistent read. Raises NotFound, UnreadableGame, StoreUnavailable."""
    with unavailable():
        found = Game.find(game_id, consistent=True)
    if found is None or not (found.is_game or found.declined_by):
        raise NotFound(GONE)
    return found.match()


def games(game_ids: Sequence[str]) -> dict[str, StoredMatch | None]:
    """Return games by id, by eventually consistent reads. One damaged or declined is None; a missing one is left out.

    This costs half a read unit per game, and one request per MOST_AT_ONCE games. Raises Unprocessed, StoreUnavailable.
    """
    found: dict[str, StoredMatch | None] = {}
    left, pauses = list(game_ids), list(PAUSES_SECONDS)
    while left:
        keys: list[Any] = [{"GameId": game_id} for game_id in left[:MOST_AT_ONCE]]
        with unavailable():
            answer = Game._get_connection().batch_get_item(keys)
        found |= {item["GameId"]["S"]: _readable(item) for item in answer["Responses"][Game.Meta.table_name]}
        unprocessed = answer.get("UnprocessedKeys", {}).get(Game.Meta.table_name, {}).get("Keys", [])
        left = [*left[MOST_AT_ONCE:], *(key["GameId"]["S"] for key in unprocessed)]
        if unprocessed:
            if not pauses:
                raise Unprocessed(found, left)
            time.sleep(pauses.pop(0))
    return found


def _readable(item: RawItem) -> StoredMatch | None:
    with suppress(UnreadableGame, NotFound):
        return Game.from_raw_data(item).match()
    return None


def pending(player: str, now: datetime, *, sent: bool, most: int, other: str = "", guests: bool | None = None) -> int:
    """Count the invitations that a player has sent or received and nobody has answered yet, up to ``most``.

    ``other`` counts only those sent to that player; ``guests`` only those received from guests, or from named hosts.
    This is one query of an index, which may lag a moment behind. Raises StoreUnavailable.
    """
    index: Any = Game.host_index if sent else Game.opponent_index
    among = is_kept(now)
    if other:
        among &= Game.opponent_id == other
    if guests is not None:
        by_guests = Game.host_id.startswith(GUEST_PREFIX)
        among &= by_guests if guests else ~by_guests
    waiting = index.query(player, HostIndex.status_date.startswith(Status.PENDING), among)
    with unavailable():
        return sum(1 for _ in islice(waiting, most))


def against_computer(player: str, now: datetime, *, most: int) -> int:
    """Count a player's unfinished games against the computer, up to ``most``. Raises StoreUnavailable."""
    running = HostIndex.status_date.startswith(Status.IN_PROGRESS)
    found = Game.host_index.query(player, running, ~absent(Game.computer) & is_kept(now))
    with unavailable():
        return sum(1 for _ in islice(found, most))


def have_played(player: str, other: str) -> bool:
    """Whether one of the player's newest games is with the other, and was accepted. Raises StoreUnavailable."""
    games = of_player(player, None, MOST_LOOKED_THROUGH)
    begun = (game for game in games if game.stored_status is not Status.PENDING and not game.is_damaged)
    return any(other in game.players for game in begun)


def of_player(player: str, status: Status | None, limit: int, since: datetime | None = None) -> list[Entry]:
    """Return up to ``limit`` of a player's games, newest first, or those that got the ``status`` ``since`` then.

    Raises StoreUnavailable.
    """
    date = HostIndex.status_date
    condition: Condition | None = date.startswith(status) if status else None
    if status and since:
        condition = date.between(status.dated(since), f"{status}_~")
    return from_both_indexes(player, lambda games: islice(games, limit), condition)[:limit]


def of_everybody(status: Status | None, limit: int) -> dict[str, StoredMatch | UnreadableGame]:
    """Return up to ``limit`` games by id, or a damaged one's error, by a costly scan. Raises StoreUnavailable."""
    condition = Game.host_id.exists()
    if status:
        condition &= Game.status_date.startswith(status)
    with unavailable():
        return {item.game_id: _judged(item) for item in Game.scan(condition, limit=limit, page_size=1000)}


def _judged(item: Game) -> StoredMatch | UnreadableGame:
    try:
        return item.match()
    except UnreadableGame as exc:
        return exc
