"""A player's record: games won, lost and tied against each opponent, counted from the finished games in the indexes.

Nothing is counted when a game ends, so no failure can count a game twice or miss one. The item ``record#<name>`` caches
the scores up to a cursor, so only later games are read. A game may reach an index after one that ended later, so the
cache leaves out the last minute. If one request can't count all games, the next goes on. Games with guests don't
count: they're deleted after a month, and a guest's name belongs to nobody.
"""

import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from itertools import takewhile
from typing import NamedTuple

from pynamodb.attributes import UnicodeAttribute

from accounts.names import is_guest
from dynamodb import conditional
from dynamodb.conditional import ConditionFailed
from dynamodb.errors import StoreUnavailable
from dynamodb.reasons import unavailable
from games.match import Entry
from games.rules.computer import NAME as COMPUTER
from games.storage import lobby as lobbies
from games.storage.indexes import Cursor
from tictactoe_site.table import Item

# How many uncached games a view may count before it caches the scores.
KEPT_AFTER = 50
# How many games one view counts at most. It takes well below a second; the next view continues.
MOST_COUNTED = 2000
# How many opponents have their own score in the cached item. DynamoDB limits an item to 400 KB.
MOST_OPPONENTS = 200
# The AWS example allowed names of any length; longer ones are counted under OTHERS.
LONGEST_NAME = 100
# The key for all other opponents together. No player can have this name.
OTHERS = ""
# Far longer than an index lags, or than servers' clocks differ.
SETTLED_AFTER = timedelta(minutes=1)

logger = logging.getLogger(__name__)


class RecordItem(Item):
    """The cached scores of a player, counted up to the cursor ``until``."""

    until = UnicodeAttribute(attr_name="Until")
    scores = UnicodeAttribute(attr_name="Scores")

    @staticmethod
    def key(name: str) -> str:
        return f"record#{name}"


class Score(NamedTuple):
    """A score. ``streak`` is how many of the latest games were won in a row; it's negative if they were lost."""

    won: int = 0
    lost: int = 0
    tied: int = 0
    streak: int = 0

    @property
    def games(self) -> int:
        return self.won + self.lost + self.tied

    @property
    def summary(self) -> dict[str, int]:
        return {"won": self.won, "lost": self.lost, "tied": self.tied}

    def plus(self, other: "Score") -> "Score":
        return Score(self.won + other.won, self.lost + other.lost, self.tied + other.tied)

    def after(self, game: Entry, player: str) -> "Score":
        if game.is_tie:
            return Score(self.won, self.lost, self.tied + 1, 0)
        if game.winner == player:
            return Score(self.won + 1, self.lost, self.tied, max(self.streak, 0) + 1)
        return Score(self.won, self.lost + 1, self.tied, min(self.streak, 0) - 1)


@dataclass(slots=True)
class Record:
    """Scores by opponent, or under OTHERS. If not ``is_whole``, newer games are uncounted: the next view continues."""

    player: str
    until: Cursor | None = None
    scores: dict[str, Score] = field(default_factory=dict)
    is_whole: bool = True

    @property
    def people(self) -> dict[str, Score]:
        """The scores without the computer's: it's either too weak or unbeatable, so its games say little."""
        return {name: score for name, score in self.scores.items() if name != COMPUTER}

    @property
    def total(self) -> Score:
        """The score of all games with people."""
        return reduce(Score.plus, self.people.values(), Score())

    def count(self, games: Iterable[Entry]) -> None:
        """Add games that ended after ``until``, in the order they ended."""
        for game in games:
            other = game.other_than(self.player)
            self.until = Cursor.of(game)
            if other and not is_guest(other) and game.has_result and not game.is_damaged:
                name = self._told_apart(other)
                self.scores[name] = self.scores.get(name, Score()).after(game, self.player)

    def sum_up(self) -> None:
        """Keep the scores of the MOST_OPPONENTS most frequent opponents, and merge the others into OTHERS."""
        people = sorted(self.people.keys() - {OTHERS}, key=lambda name: (-self.scores[name].games, name))
        for name in people[MOST_OPPONENTS:]:
            self.scores[OTHERS] = self.scores.get(OTHERS, Score()).plus(self.scores.pop(name))

    def _told_apart(self, other: str) -> str:
        """Return the opponent's name, or OTHERS if games with them may be in there: a new score would miss those."""
        if other == COMPUTER or other in self.scores:
            return other
        summed_up = OTHERS in self.scores and len(self.scores) - (COMPUTER in self.scores) > MOST_OPPONENTS
        return OTHERS if summed_up or len(other) > LONGEST_NAME else other


def of(player: str, now: datetime) -> Record:
    """Return the player's record, and cache its scores if many games are new. Raises StoreUnavailable."""
    kept = _kept(player)
    known = kept.until
    fresh, more = lobbies.finished_since(player, known, most=MOST_COUNTED)
    settled = _settled(fresh, now)
    kept.count(settled)
    if settled and (more or len(settled) >= KEPT_AFTER):
        # The page doesn't need the cache, so it's shown even if the write fails.
        try:
            _keep(kept, known)
        except StoreUnavailable as exc:
            logger.warning("A player's record couldn't be saved: %s", exc)
    kept.count(fresh[len(settled) :])
    kept.is_whole = not more
    return kept


def forget(player: str) -> None:
    """Drop the cached scores, because games that were counted have another player now. Raises StoreUnavailable."""
    # Assumes that there are cached scores; otherwise there is nothing to drop.
    with suppress(ConditionFailed):
        conditional.delete(RecordItem(RecordItem.key(player)), RecordItem.until.exists())


def _settled(games: list[Entry], now: datetime) -> list[Entry]:
    """Return the games old enough to cache, up to one with a valid date: later games may sort before "yesterday"."""
    limit = now - SETTLED_AFTER
    settled = list(takewhile(lambda game: game.since is None or game.since < limit, games))
    while settled and settled[-1].since is None:
        settled.pop()
    return settled


def _kept(player: str) -> Record:
    with unavailable():
        item = RecordItem.find(RecordItem.key(player))
    if item is None:
        return Record(player)
    scores = {name: Score(*numbers) for name, numbers in json.loads(item.scores).items()}
    return Record(player, Cursor.parse(item.until), scores)


def _keep(record: Record, known: Cursor | None) -> None:
    """Cache the scores. If another request has cached them meanwhile, its scores are as good."""
    assert record.until
    record.sum_up()
    scores = json.dumps(record.scores, ensure_ascii=False)
    item = RecordItem(RecordItem.key(record.player), until=record.until.text, scores=scores)
    # Assumes that the cached scores are still the ones that we started from.
    same = RecordItem.until.does_not_exist() if known is None else RecordItem.until == known.text
    with suppress(ConditionFailed):
        conditional.put(item, same)
