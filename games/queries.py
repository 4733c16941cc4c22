"""The only reader of games: one by its id, and the lists of the lobby and of the pages that follow it.

Index reads lag behind the table, so nothing is ever authorised from a list.

All of a player's games stand in one order, by StatusDate and then by id: descending, the pending games come first, then
those in progress, then the finished. A page is a stretch of that order, from either end or from a place in it. Places
are keys and not counts, so a game that finishes between two pages moves no other game from one page to another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex
from pynamodb.pagination import ResultIterator

from accounts.names import GUEST_PREFIX
from dynamodb import conditional
from dynamodb.items import RawItem
from games.errors import GONE, MalformedInput, NotFound, UnreadableGame
from games.models import Game, HostIndex, Status

FINISHED_IN_LOBBY = 10
FINISHED_ON_A_PAGE = 20
# A page ends here too, however many invitations somebody was sent.
MOST = 200
# What half a read unit pays for, and the most that an index entry can take of it.
READ_BYTES = 4096
LONGEST_ENTRY = 184
# A full page of finished games, the one before it, and one that tells of more: these are within one half unit.
FIRST_READ = FINISHED_ON_A_PAGE + 2
FURTHER_READ = 100
# What one BatchGetItem takes (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
MOST_AT_ONCE = 100

# One for each request that a server answers at a time (gunicorn.conf.py has half as many, manage.py play as many).
_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="query")


@dataclass(frozen=True, slots=True)
class Lobby:
    """A stretch of a player's games, each list newest first.

    ``newer`` and ``older`` are the places where the games go on, or None where there are no more.
    """

    invitations: list[Game] = field(default_factory=list)
    waiting: list[Game] = field(default_factory=list)
    playing: list[Game] = field(default_factory=list)
    finished: list[Game] = field(default_factory=list)
    newer: str | None = None
    older: str | None = None

    @property
    def games(self) -> Iterator[Game]:
        return chain(self.invitations, self.waiting, self.playing, self.finished)


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


def lobby(player: str) -> Lobby:
    """The newest of a player's games: all that go on and the last ten finished, or as many as fit on a page.

    One query per index, at the same time, and one batch read for the boards of the games in progress, however many
    games are finished; more for somebody with more games to answer than one read has. Raises StoreUnavailable.
    """
    entries, more = _stretch(player, FINISHED_IN_LOBBY)
    return _lists(player, entries, newer=False, older=more)


def page(player: str, *, before: str = "", after: str = "") -> Lobby:
    """The games that follow ``Lobby.older``, given as ``before``, or ``Lobby.newer``, given as ``after``.

    On the other side of a page lies the game whose place was given, so that there is always more on that side.
    Raises MalformedInput where both are given or the one is no place, and StoreUnavailable.
    """
    if before and after:
        raise MalformedInput("Ask for the games before a place in your list or for those after one, not for both.")
    entries, more = _stretch(player, FINISHED_ON_A_PAGE, Place.of_cursor(before or after), newer=bool(after))
    if after:
        return _lists(player, entries[::-1], newer=more, older=True)
    return _lists(player, entries, newer=True, older=more)


def with_game(lobby: Lobby, player: str, game: Game) -> Lobby:
    """The lobby, or a page of it, after a game of the player's has become as it is now; nothing is read."""
    others = [other for other in lobby.games if other.game_id != game.game_id]
    lists = _arranged(player, [game, *others])
    finished = lists.finished[: max(FINISHED_IN_LOBBY, len(lobby.finished))]
    older = Place.of(finished[-1]).cursor if len(finished) < len(lists.finished) else lobby.older
    return replace(lists, finished=finished, newer=lobby.newer, older=older)


def without_game(lobby: Lobby, game_id: str) -> Lobby:
    """The lobby after an invitation was withdrawn; nothing is read."""

    def left(games: list[Game]) -> list[Game]:
        return [game for game in games if game.game_id != game_id]

    return replace(lobby, invitations=left(lobby.invitations), waiting=left(lobby.waiting))


def reads_of(lobby: Lobby) -> int:
    """How many reads, of half a unit each, such a lobby takes: the queries of both indexes, and the boards."""
    further = max(0, sum(1 for _ in lobby.games) - FIRST_READ)
    return 2 + math.ceil(further * LONGEST_ENTRY / READ_BYTES) + len(lobby.playing)


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
    return _from_both_indexes(player, lambda games: islice(games, most), condition)[:most]


def finished_since(player: str, start: Place | None, *, most: int) -> tuple[list[Game], bool]:
    """Up to ``most`` of a player's finished games that stand after ``start``, oldest first, and whether there are more.

    Raises StoreUnavailable.
    """

    def part(games: Iterator[Game]) -> Iterator[Game]:
        later = (game for game in games if start is None or Place.of(game) > start)
        return _until_full(later, most, most=most)

    first = start.status_date if start else f"{Status.FINISHED}_"
    condition = HostIndex.status_date.between(first, f"{Status.FINISHED}_~")
    games = _from_both_indexes(player, part, condition, ascending=True)
    return games[:most], len(games) > most


def history(player: str, before: str = "") -> tuple[list[Game], str | None]:
    """A page of a player's finished games, newest first, and the place where they go on; None where they do not.

    Raises MalformedInput where ``before`` is no place, and StoreUnavailable.
    """
    start = Place.of_cursor(before) if before else Place(f"{Status.FINISHED}_}}", "")
    games, more = _stretch(player, FINISHED_ON_A_PAGE, start)
    finished = [game for game in games if game.status is Status.FINISHED]
    return finished, Place.of(finished[-1]).cursor if more and finished else None


def of_player(player: str, status: Status | None, limit: int) -> list[Game]:
    """Up to ``limit`` of a player's games as the indexes show them, newest first. Raises StoreUnavailable."""
    condition = HostIndex.status_date.startswith(status) if status else None
    return _from_both_indexes(player, lambda games: islice(games, limit), condition)[:limit]


def of_everybody(status: Status | None, limit: int) -> list[Game]:
    """Up to ``limit`` games in no order. This scans the table: for the operator, who pays for each item in it."""
    condition = Game.host_id.exists()
    if status:
        condition &= Game.status_date.startswith(status)
    with conditional.unavailable():
        return list(Game.scan(condition, limit=limit, page_size=1000))


class Place(NamedTuple):
    """Where a game stands in the order of the lists; the id decides between games of the same instant."""

    status_date: str
    game_id: str

    @classmethod
    def of(cls, game: Game) -> Place:
        return cls(game.status_date, game.game_id)

    @classmethod
    def of_cursor(cls, cursor: str) -> Place:
        """The place as a link has it. Raises MalformedInput."""
        if not _CURSOR.fullmatch(cursor):
            raise MalformedInput("This is no place in your list of games: start again from the lobby.")
        return cls(*cursor.split("~"))

    @property
    def cursor(self) -> str:
        return "~".join(self)


# The date may have any form: a page may end at a game whose date was written by hand.
_CURSOR = re.compile(rf"({'|'.join(Status)})_[ -^`-}}]{{0,100}}~[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")


def _stretch(player: str, finished: int, start: Place | None = None, *, newer: bool = False) -> tuple[list[Game], bool]:
    """The entries that follow ``start``, or the newest, until they fill a page; and whether there are more.

    A page is full with so many ``finished`` games, or with MOST of all kinds.
    """

    def follows(game: Game) -> bool:
        return start is None or (Place.of(game) > start if newer else Place.of(game) < start)

    def part(games: Iterator[Game]) -> Iterator[Game]:
        return _until_full(filter(follows, games), finished)

    date = HostIndex.status_date
    condition = None if start is None else date >= start.status_date if newer else date <= start.status_date
    entries = _from_both_indexes(player, part, condition, ascending=newer)
    ends = [number for number, entry in enumerate(entries, 1) if entry.stored_status is Status.FINISHED]
    size = min([MOST, *ends[finished - 1 : finished]])
    return entries[:size], len(entries) > size


def _until_full(games: Iterator[Game], finished: int, *, most: int = MOST) -> Iterator[Game]:
    """Enough of one index to fill a page, and one game that tells of more, whatever the other index has.

    Games of one instant come in no order, so all of the last instant's are there to be put in order.
    """
    last = ""
    for number, game in enumerate(games):
        yield game
        if (number >= most or finished <= 0) and game.status_date != last:
            return
        last = game.status_date
        finished -= game.stored_status is Status.FINISHED


def _lists(player: str, entries: list[Game], *, newer: bool, older: bool) -> Lobby:
    """The four lists, from entries in descending order, each with its board where it is in progress."""
    lists = _arranged(player, _up_to_date(entries))
    return replace(
        lists,
        newer=Place.of(entries[0]).cursor if newer and entries else None,
        older=Place.of(entries[-1]).cursor if older and entries else None,
    )


def _arranged(player: str, games: list[Game]) -> Lobby:
    now = datetime.now(UTC)
    games = sorted(games, key=_since, reverse=True)
    pending = [game for game in games if game.status is Status.PENDING and not game.expired(now)]
    return Lobby(
        invitations=[game for game in pending if game.host_id != player],
        waiting=[game for game in pending if game.host_id == player],
        playing=[game for game in games if game.status is Status.IN_PROGRESS],
        finished=[game for game in games if game.status is Status.FINISHED],
    )


def _since(game: Game) -> tuple[str, str]:
    """By time alone: a game that is finished, but not marked so, stands among the finished ones."""
    return game.status_date.rpartition("_")[2], game.game_id


def _up_to_date(entries: list[Game]) -> list[Game]:
    """Each game once, and those in progress with their boards: as they are now, and left out if they are gone."""
    # A game that went on between two reads was read twice. Descending, its later status comes later, and stays.
    games = {entry.game_id: entry for entry in entries}
    started = [entry.game_id for entry in games.values() if entry.stored_status is Status.IN_PROGRESS]
    with conditional.unavailable():
        try:
            whole = {game.game_id: game for game in Game.batch_get(started)} if started else {}
        except UnreadableGame:
            return list(games.values())  # One damaged item spoils the batch: all are listed, without their turn.
    gone = set(started) - set(whole)
    return [game for key, game in (games | whole).items() if key not in gone and _is_readable(game)]


def _from_both_indexes(
    player: str,
    part: Callable[[Iterator[Game]], Iterable[Game]],
    condition: Condition | None = None,
    *,
    ascending: bool = False,
) -> list[Game]:
    """What ``part`` takes of the player's entries in each index, in one order."""

    def read(index: GlobalSecondaryIndex[Game]) -> list[Game]:
        with conditional.unavailable():
            return list(part(_readable(index.query(player, condition, scan_index_forward=ascending))))

    # With this context, the other thread's read shares the time that the request has left.
    hosted = _threads.submit(copy_context().run, read, Game.host_index)
    try:
        invited = read(Game.opponent_index)
    finally:
        wait([hosted])  # A request that fails leaves none of its reads behind.
    return sorted([*hosted.result(), *invited], key=Place.of, reverse=not ascending)


def _readable(games: ResultIterator[Game]) -> Iterator[Game]:
    """Leaves out the items that PynamoDB can't make a Game of, and those that no game can have led to."""
    while True:
        games.page_iter.page_size = FURTHER_READ if games.total_count else FIRST_READ
        try:
            game = next(games)
        except UnreadableGame:
            continue
        except StopIteration:
            return
        if _is_readable(game):
            yield game


def _is_readable(game: Game) -> bool:
    """Whether a page can show the game, and can end at it."""
    try:
        return bool(game.status and _CURSOR.fullmatch(Place.of(game).cursor))
    except UnreadableGame:
        return False
