"""A player's games as the two indexes have them, merged into one order.

That is by StatusDate and then by id: descending, the pending games come first, then those in progress, then the
finished. A cursor is a key and not a count, so a game that finishes between two pages moves no other game from one page
to another. Index reads lag behind the table, so nothing is ever authorised from them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import NamedTuple, Self

from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex
from pynamodb.pagination import ResultIterator

from dynamodb.reasons import unavailable
from games.errors import MalformedInput, UnreadableGame
from games.match import Entry, Status
from games.models import Game

# So many entries are within one half read unit: a full page of finished games, the one before it, and one that tells
# of more.
FIRST_READ = 22
FURTHER_READ = 100

# One for each request that a server answers at a time (gunicorn.conf.py has half as many, manage.py play as many).
_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="query")


class Cursor(NamedTuple):
    """Where a game stands in the order of the lists; the id decides between games of the same instant."""

    status_date: str
    game_id: str

    @classmethod
    def of(cls, game: Entry) -> Self:
        return cls(game.status_date, game.game_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor that a link has. Raises MalformedInput."""
        if not _CURSOR.fullmatch(text):
            raise MalformedInput("This is no place in your list of games: start again from the lobby.")
        return cls(*text.split("~"))

    @property
    def text(self) -> str:
        return "~".join(self)


# The date may have any form: a page may end at a game whose date was written by hand.
_CURSOR = re.compile(rf"({'|'.join(Status)})_[ -^`-}}]{{0,100}}~[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")


def from_both_indexes(
    player: str,
    part: Callable[[Iterator[Entry]], Iterable[Entry]],
    condition: Condition | None = None,
    *,
    ascending: bool = False,
) -> list[Entry]:
    """What ``part`` takes of the player's entries in each index, in one order."""

    def read(index: GlobalSecondaryIndex[Game]) -> list[Entry]:
        with unavailable():
            return list(part(_entries(index.query(player, condition, scan_index_forward=ascending))))

    # With this context, the other thread's read shares the time that the request has left.
    hosted = _threads.submit(copy_context().run, read, Game.host_index)
    try:
        invited = read(Game.opponent_index)
    finally:
        wait([hosted])  # A request that fails leaves none of its reads behind.
    return sorted([*hosted.result(), *invited], key=Cursor.of, reverse=not ascending)


def _entries(games: ResultIterator[Game]) -> Iterator[Entry]:
    """Leaves out what is no game, and a game at which no page could end."""
    while True:
        games.page_iter.page_size = FURTHER_READ if games.total_count else FIRST_READ
        try:
            entry = next(games).entry()
        except UnreadableGame:
            continue
        except StopIteration:
            return
        if _CURSOR.fullmatch(Cursor.of(entry).text):
            yield entry
