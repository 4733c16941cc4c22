"""The only reader of games: one by its id, and the lists of the lobby and the history.

Index reads lag behind the table, so nothing is ever authorised from a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex

from games import table
from games.errors import GONE, MalformedInput, NotFound, UnreadableGame
from games.models import Game, HostIndex, Status

# Twenty index entries are less than the 4 KB of one read unit.
PAGE = 20
FINISHED_SHOWN = 10
# Of each index, however many invitations somebody was sent.
MOST = 200
# BatchGetItem takes no more keys (Amazon DynamoDB API Reference).
BATCH = 100

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="query")


@dataclass(frozen=True, slots=True)
class Lobby:
    """A player's games, each list newest first. ``older`` is where the finished games go on, or None."""

    invitations: list[Game] = field(default_factory=list)
    waiting: list[Game] = field(default_factory=list)
    playing: list[Game] = field(default_factory=list)
    finished: list[Game] = field(default_factory=list)
    older: str | None = None


def game(game_id: str) -> Game:
    """The game as it is now: a consistent read. Raises NotFound, StoreUnavailable."""
    with table.unavailable():
        try:
            found = Game.get(game_id, consistent_read=True)
        except Game.DoesNotExist as exc:
            raise NotFound(GONE) from exc
    if not (found.host_id and found.status_date):
        raise NotFound(GONE)  # An item of another kind, such as a player.
    return found


def lobby(player: str) -> Lobby:
    """One query per index, at the same time, and one batch read for the boards of the games in progress.

    Descending, StatusDate has the pending games first, then those in progress, then the finished: reading stops
    after ten of these, so that it costs the same after ten thousand games. Raises StoreUnavailable.
    """
    found = _from_both_indexes(player, lambda games: islice(_until_finished(games, FINISHED_SHOWN + 1), MOST))
    now = datetime.now(UTC)
    pending = [game for game in found if game.stored_status is Status.PENDING and not game.expired(now)]
    started = _whole([game for game in found if game.stored_status is Status.IN_PROGRESS])
    finished, older = _page([game for game in found if game.stored_status is Status.FINISHED], FINISHED_SHOWN)
    playing = [game for game in started if game.status is Status.IN_PROGRESS]
    return Lobby(
        invitations=[game for game in pending if game.host_id != player],
        waiting=[game for game in pending if game.host_id == player],
        # Python's sort is stable: newest first among those where it is the player's turn, and among the others.
        playing=sorted(playing, key=lambda game: game.turn != player),
        finished=[game for game in started if game.status is Status.FINISHED] + finished,
        older=older,
    )


def history(player: str, before: str) -> Lobby:
    """The finished games after the entry that ``Lobby.older`` named. Raises MalformedInput, StoreUnavailable."""
    if not _CURSOR.fullmatch(before):
        raise MalformedInput("This is no place in your list of games: start again from the lobby.")
    date = before.rpartition("~")[0]

    def following(games: Iterator[Game]) -> Iterator[Game]:
        return _until_finished((game for game in games if _cursor(game) < before), PAGE + 1)

    finished, older = _page(_from_both_indexes(player, following, HostIndex.status_date <= date), PAGE)
    return Lobby(finished=finished, older=older)


def of_player(player: str, status: Status | None, limit: int) -> list[Game]:
    """Up to ``limit`` of a player's games as the indexes show them, newest first. Raises StoreUnavailable."""
    condition = HostIndex.status_date.startswith(status) if status else None
    return _from_both_indexes(player, lambda games: islice(games, limit), condition)[:limit]


def of_everybody(status: Status | None, limit: int) -> list[Game]:
    """Up to ``limit`` games in no order. This scans the table: for the operator, who pays for each item in it."""
    condition = Game.host_id.exists()
    if status:
        condition &= Game.status_date.startswith(status)
    with table.unavailable():
        return list(Game.scan(condition, limit=limit, page_size=1000))


_CURSOR = re.compile(r"FINISHED_[0-9 :.-]{10,40}~[0-9a-f-]{36}")


def _cursor(game: Game) -> str:
    """A place in the order of the lists; the id decides between games of the same microsecond."""
    return f"{game.status_date}~{game.game_id}"


def _page(finished: list[Game], size: int) -> tuple[list[Game], str | None]:
    shown = finished[:size]
    return shown, _cursor(shown[-1]) if len(finished) > size else None


def _from_both_indexes(
    player: str, part: Callable[[Iterator[Game]], Iterable[Game]], condition: Condition | None = None
) -> list[Game]:
    """What ``part`` takes of the player's entries in each index, newest first together."""

    def read(index: GlobalSecondaryIndex[Game]) -> list[Game]:
        with table.unavailable():
            entries = index.query(player, condition, scan_index_forward=False, page_size=PAGE)
            return list(part(_readable(iter(entries))))

    indexes: tuple[GlobalSecondaryIndex[Game], ...] = (Game.host_index, Game.opponent_index)
    queries = [_threads.submit(read, index) for index in indexes]
    return sorted((game for query in queries for game in query.result()), key=_cursor, reverse=True)


def _until_finished(games: Iterator[Game], count: int) -> Iterator[Game]:
    """All games that go on, and at least the first ``count`` of the finished ones, which come last.

    Games of one instant come in no order, so all of the last instant's are there for ``_cursor`` to put in one.
    """
    last = ""
    for game in games:
        if count <= 0 and game.status_date != last:
            return
        yield game
        last = game.status_date
        count -= last.startswith(Status.FINISHED)


def _whole(entries: list[Game]) -> list[Game]:
    """The same games with their boards, as far as one batch read goes; those that are gone left out."""
    keys = [entry.game_id for entry in entries[:BATCH]]
    with table.unavailable():
        try:
            games = {game.game_id: game for game in Game.batch_get(keys)} if keys else {}
        except UnreadableGame:
            return entries  # One damaged item spoils the whole batch: the others are listed without their turn.
    whole = [games[key] for key in keys if key in games]
    return [game for game in whole if _is_readable(game)] + entries[BATCH:]


def _readable(games: Iterator[Game]) -> Iterator[Game]:
    """Leaves out the items that PynamoDB can't make a Game of, and those that no game can have led to."""
    while True:
        try:
            game = next(games)
        except UnreadableGame:
            continue
        except StopIteration:
            return
        if _is_readable(game):
            yield game


def _is_readable(game: Game) -> bool:
    try:
        return bool(game.status)
    except UnreadableGame:
        return False
