"""The only reader of games besides ``lobby``: one by its id, many by their ids, counts, and the operator's lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from accounts.names import GUEST_PREFIX
from dynamodb import conditional
from dynamodb.items import RawItem
from games.errors import GONE, NotFound
from games.match import Status
from games.models import Game, HostIndex
from games.storage.indexes import from_both_indexes

# What one BatchGetItem takes (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
MOST_AT_ONCE = 100


def game(game_id: str) -> Game:
    """The game as it is now: a consistent read. Raises NotFound, StoreUnavailable."""
    with conditional.unavailable():
        try:
            found = Game.get(game_id, consistent_read=True)
        except Game.DoesNotExist as exc:
            raise NotFound(GONE) from exc
    if not (found.host_id and found.status_date):
        raise NotFound(GONE)  # An item of another kind, such as a player.
    return found


def rematch(game_id: str) -> Game | None:
    """A rematch, by its own id, as it was a moment ago; None where nobody has asked for it. Raises StoreUnavailable."""
    return next(map(Game.from_raw_data, raw_games([game_id]).values()), None)


def raw_games(game_ids: Sequence[str]) -> dict[str, RawItem]:
    """Up to MOST_AT_ONCE games as they were a moment ago: half a read unit each, in one request.

    One that is not there, or that DynamoDB did not get round to, is left out. Raises StoreUnavailable.
    """
    keys: list[Any] = [{"GameId": game_id} for game_id in game_ids]
    with conditional.unavailable():
        answer = Game._get_connection().batch_get_item(keys)
    return {item["GameId"]["S"]: item for item in answer["Responses"][Game.Meta.table_name]}


def pending(player: str, *, sent: bool, most: int, other: str | None = None, guests: bool | None = None) -> int:
    """How many invitations a player has sent, or was sent, that wait for an answer, counted up to ``most``.

    Of those sent, only the ones to ``other``; of those received, only the ones from ``guests``, or from named hosts.
    One query of an index, which may be a moment behind. Raises StoreUnavailable.
    """
    now = int(datetime.now(UTC).timestamp())
    index: Any = Game.host_index if sent else Game.opponent_index
    among = Game.expires_at > now
    if other is not None:
        among &= Game.opponent_id == other
    if guests is not None:
        by_guests = Game.host_id.startswith(GUEST_PREFIX)
        among &= by_guests if guests else ~by_guests
    waiting = index.query(player, HostIndex.status_date.startswith(Status.PENDING), among)
    with conditional.unavailable():
        return sum(1 for _ in islice(waiting, most))


def running(player: str, *, most: int) -> list[Game]:
    """Up to ``most`` of a player's pending games and those in progress, as the indexes show them.

    Raises StoreUnavailable.
    """
    condition = HostIndex.status_date.between(Status.IN_PROGRESS, f"{Status.PENDING}_~")
    return from_both_indexes(player, lambda games: islice(games, most), condition)[:most]


def of_player(player: str, status: Status | None, limit: int) -> list[Game]:
    """Up to ``limit`` of a player's games as the indexes show them, newest first. Raises StoreUnavailable."""
    condition = HostIndex.status_date.startswith(status) if status else None
    return from_both_indexes(player, lambda games: islice(games, limit), condition)[:limit]


def of_everybody(status: Status | None, limit: int) -> list[Game]:
    """Up to ``limit`` games in no order. This scans the table: for the operator, who pays for each item in it."""
    condition = Game.host_id.exists()
    if status:
        condition &= Game.status_date.startswith(status)
    with conditional.unavailable():
        return list(Game.scan(condition, limit=limit, page_size=1000))
