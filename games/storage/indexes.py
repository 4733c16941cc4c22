"""A player's games, read from the two indexes and merged: by StatusDate, then by id.

Descending, pending games come first, then games in progress, then finished games. A cursor is a key, not an offset, so
no page shifts. Index reads lag behind the table, so never authorise anything from them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import NamedTuple, Self, TypeAlias

from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex
from pynamodb.pagination import ResultIterator

from dynamodb.reasons import unavailable
from games.errors import MalformedInput
from games.match import Entry
from games.models import Game

# As many entries as half a read unit covers: a full page of finished games, the game at the cursor before it, and one
# that shows whether more follow.
FIRST_READ = 22
FURTHER_READ = 100
# The most bytes of a sort key (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
LONGEST_KEY = 1024

Part: TypeAlias = Callable[[Iterator[Entry]], Iterable[Entry]]
# One thread per concurrent request (gunicorn.conf.py has half as many, manage.py play as many).
_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="query")


class Cursor(NamedTuple):
    """A game's position in the lists. The id breaks ties between games with the same StatusDate."""

    status_date: str
    game_id: str

    @classmethod
    def of(cls, game: Entry) -> Self:
        return cls(game.status_date, game.game_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor from a link. Raises MalformedInput."""
        status_date, _, game_id = text.rpartition("~")
        if not _CURSOR.fullmatch(text) or len(status_date.encode()) > LONGEST_KEY:
            raise MalformedInput("This is no place in your list of games: start again from the lobby.")
        return cls(status_date, game_id)

    @property
    def text(self) -> str:
        return "~".join(self)


# StatusDate may have any form, because a page may end at a game whose item was written by hand.
_CURSOR = re.compile("(?s).+~[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def from_both_indexes(
    player: str, part: Part, condition: Condition | None = None, *, ascending: bool = False
) -> list[Entry]:
    """Return what ``part`` takes of the player's entries in each index, merged into one order."""

    def read(index: GlobalSecondaryIndex[Game]) -> list[Entry]:
        with unavailable():
            found = index.query(player, condition, scan_index_forward=ascending, page_size=FIRST_READ)
            return list(part(_entries(found)))

    # The copied context makes the other thread share the request's timeout.
    hosted = _threads.submit(copy_context().run, read, Game.host_index)
    try:
        invited = read(Game.opponent_index)
    finally:
        wait([hosted])  # Don't leave a read running after a failed request.
    return sorted([*hosted.result(), *invited], key=Cursor.of, reverse=not ascending)


def _entries(games: ResultIterator[Game]) -> Iterator[Entry]:
    """Yield the entries, without what can't be opened: games whose id is no UUID, and blank keys, which are none."""
    for game in games:
        games.page_iter.page_size = FURTHER_READ
        if game.is_game and _CURSOR.fullmatch(Cursor.of(entry := game.entry()).text):
            yield entry
