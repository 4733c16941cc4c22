"""The lists of a player's games: the lobby, the pages after it, and the finished games alone.

A page is a range of the merged order in ``indexes``, from either end or from a cursor.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from accounts import generations
from games.errors import MalformedInput
from games.match import Entry, Status, StoredMatch
from games.models import HostIndex
from games.rules import EMPTY
from games.storage import queries
from games.storage.indexes import FIRST_READ, Cursor, from_both_indexes

FINISHED_IN_LOBBY = 10
FINISHED_ON_A_PAGE = FIRST_READ - 2
# The most games on a page, however many invitations somebody was sent.
MOST = 200
# The bytes that half a read unit covers, and the size of the largest index entry.
READ_BYTES = 4096
LONGEST_ENTRY = 184


@dataclass(frozen=True, slots=True)
class Lobby:
    """A page of a player's games, each list newest first. Only games in progress have a board.

    ``unread`` are games in progress whose boards DynamoDB, throttled, didn't return.
    ``newer`` and ``older`` are the cursors of the neighbouring pages; None if there are none.
    """

    received: list[Entry] = field(default_factory=list)
    sent: list[Entry] = field(default_factory=list)
    playing: list[StoredMatch] = field(default_factory=list)
    unread: list[Entry] = field(default_factory=list)
    finished: list[Entry] = field(default_factory=list)
    damaged: list[Entry] = field(default_factory=list)
    newer: str | None = None
    older: str | None = None

    @property
    def games(self) -> Iterator[Entry]:
        return chain(self.received, self.sent, self.playing, self.unread, self.finished, self.damaged)


def newest(player: str, now: datetime) -> Lobby:
    """Return the newest of a player's games: all unfinished and the last ten finished, or as many as fit on a page.

    This takes one query per index, both at once, and one batch read of the boards in progress, however many games are
    finished. A player with more unfinished games than one read returns costs more. Raises StoreUnavailable.
    """
    entries, more = _stretch(player, FINISHED_IN_LOBBY)
    return _lists(player, entries, now, newer=False, older=more)


def page(player: str, now: datetime, *, before: str = "", after: str = "") -> Lobby:
    """Return a page of older games (``before`` is a ``Lobby.older``) or of newer ones (``after`` is a ``Lobby.newer``).

    The game at the cursor lies outside the page, so there is always more on that side. Raises MalformedInput if both
    are given or the cursor is invalid, and StoreUnavailable.
    """
    if before and after:
        raise MalformedInput("Ask for the games before a place in your list or for those after one, not for both.")
    entries, more = _stretch(player, FINISHED_ON_A_PAGE, Cursor.parse(before or after), newer=bool(after))
    if after:
        return _lists(player, entries[::-1], now, newer=more, older=True)
    return _lists(player, entries, now, newer=True, older=more)


def with_game(lobby: Lobby, player: str, game: StoredMatch, now: datetime) -> Lobby:
    """Return the lobby, or a page of it, with the current state of one of the player's games. This reads nothing.

    If the lobby knows a later state of the game, it keeps that: hints may arrive in another order than the writes.
    """
    if any(_progress(other) > _progress(game) for other in lobby.games if other.game_id == game.game_id):
        return lobby
    others = [other for other in lobby.games if other.game_id != game.game_id]
    lists = _arranged(player, [game, *others], now)
    finished = lists.finished[: max(FINISHED_IN_LOBBY, len(lobby.finished))]
    older = min(map(Cursor.of, finished)).text if len(finished) < len(lists.finished) else lobby.older
    return replace(lists, finished=finished, newer=lobby.newer, older=older)


def _progress(game: Entry) -> tuple[int, int]:
    """Return how far a game is: its status, and the number of marks on its board."""
    marks = 9 - game.board.count(EMPTY) if isinstance(game, StoredMatch) else 0
    return [*Status].index(game.stored_status), marks


def without_game(lobby: Lobby, game_id: str) -> Lobby:
    """Return the lobby without a withdrawn invitation. This reads nothing."""
    received, sent = ([game for game in games if game.game_id != game_id] for games in (lobby.received, lobby.sent))
    return replace(lobby, received=received, sent=sent)


def reads_of(lobby: Lobby) -> int:
    """Return how many half read units such a lobby costs: queries of both indexes, and the boards in progress."""
    further = max(0, sum(1 for _ in lobby.games) - FIRST_READ)
    damaged = sum(game.stored_status is Status.IN_PROGRESS for game in lobby.damaged)
    boards = len(lobby.playing) + len(lobby.unread) + damaged
    return 2 + math.ceil(further * LONGEST_ENTRY / READ_BYTES) + boards


def finished_since(player: str, start: Cursor | None, *, most: int) -> tuple[list[Entry], bool]:
    """Return up to ``most`` of a player's finished games after ``start``, oldest first, and whether more follow.

    Raises StoreUnavailable.
    """

    def part(games: Iterator[Entry]) -> Iterator[Entry]:
        later = (game for game in games if start is None or Cursor.of(game) > start)
        return _until_full(later, most, most=most)

    first = start.status_date if start else f"{Status.FINISHED}_"
    condition = HostIndex.status_date.between(first, f"{Status.FINISHED}_~")
    games = from_both_indexes(player, part, condition, ascending=True)
    return games[:most], len(games) > most


def history(player: str, before: str = "") -> tuple[list[Entry], str | None]:
    """Return a page of a player's finished games, newest first, and the cursor for the next page or None.

    Raises MalformedInput if ``before`` is not a cursor, and StoreUnavailable.
    """
    start = Cursor.parse(before) if before else Cursor(f"{Status.FINISHED}_}}", "")
    games, more = _stretch(player, FINISHED_ON_A_PAGE, start)
    finished = [game for game in games if game.status_date.startswith(Status.FINISHED)]
    return finished, Cursor.of(finished[-1]).text if more and finished else None


def _stretch(
    player: str, finished: int, start: Cursor | None = None, *, newer: bool = False
) -> tuple[list[Entry], bool]:
    """Return a page of the entries after ``start``, or of the newest, and whether there are more.

    The page is full at ``finished`` finished games, or at MOST games of any status.
    """

    def follows(game: Entry) -> bool:
        return start is None or (Cursor.of(game) > start if newer else Cursor.of(game) < start)

    def part(games: Iterator[Entry]) -> Iterator[Entry]:
        return _until_full(filter(follows, games), finished)

    date = HostIndex.status_date
    condition = None if start is None else date >= start.status_date if newer else date <= start.status_date
    entries = from_both_indexes(player, part, condition, ascending=newer)
    ends = [number for number, entry in enumerate(entries, 1) if _is_after_unfinished(entry)]
    size = min([MOST, *ends[finished - 1 : finished]])
    return entries[:size], len(entries) > size


def _until_full(games: Iterator[Entry], finished: int, *, most: int = MOST) -> Iterator[Entry]:
    """Yield enough entries of one index to fill a page by themselves, and one more to show whether there are more.

    Entries with equal dates come in no particular order, so yield all with the last date for sorting.
    """
    last = ""
    for number, game in enumerate(games):
        yield game
        if (number >= most or finished <= 0) and game.status_date != last:
            return
        last = game.status_date
        finished -= _is_after_unfinished(game)


def _is_after_unfinished(game: Entry) -> bool:
    """Whether all unfinished games come before it: it's finished, or damaged with a StatusDate that sorts so low."""
    return game.status_date < Status.IN_PROGRESS


def _lists(player: str, entries: list[Entry], now: datetime, *, newer: bool, older: bool) -> Lobby:
    """Return the lists from entries in descending order, reading the boards of games in progress."""
    # A game that changed between the two reads is there twice. Its later status sorts last when descending, and wins.
    games = {entry.game_id: entry for entry in entries}
    started = [entry.game_id for entry in games.values() if entry.stored_status is Status.IN_PROGRESS]
    try:
        boards, unread = queries.games(started), list[str]()
    except queries.Unprocessed as exc:  # DynamoDB is too busy to return them all.
        boards, unread = exc.found, exc.left
    for game_id in started:
        if game_id in boards:
            games[game_id] = boards[game_id] or replace(games[game_id], is_damaged=True)
        elif game_id not in unread:
            del games[game_id]  # It has just been removed.
    return replace(
        _arranged(player, games.values(), now),
        newer=Cursor.of(entries[0]).text if newer and entries else None,
        older=Cursor.of(entries[-1]).text if older and entries else None,
    )


def _arranged(player: str, games: Iterable[Entry], now: datetime) -> Lobby:
    # Sort by time alone: a game may be decided but not marked as finished, and belongs among the finished ones.
    games = sorted(games, key=lambda game: (game.status_date.rpartition("_")[2], game.game_id), reverse=True)
    damaged = [game for game in games if game.is_damaged]
    games = [game for game in games if not game.is_damaged]
    pending = [game for game in games if game.status is Status.PENDING and not game.expired(now)]
    going = [game for game in games if game.status is Status.IN_PROGRESS]
    hidden = generations.blocked_by(player) | {player}
    return Lobby(
        received=[game for game in pending if game.host not in hidden],
        sent=[game for game in pending if game.host == player],
        playing=[game for game in going if isinstance(game, StoredMatch)],
        unread=[game for game in going if not isinstance(game, StoredMatch)],
        finished=[game for game in games if game.status is Status.FINISHED],
        damaged=damaged,
    )
