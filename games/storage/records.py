"""A player's record: won, lost and tied against everybody, counted from the finished games themselves.

Nothing is counted when a game ends, so nothing can be counted twice or missed, whatever fails: the record is what the
two indexes show. So that a page of somebody with ten thousand games does not read them all, the sum up to a cursor in
their order is kept in an item of its own, at the key ``record#<name>``, and only what came later is read. A game that
has just ended may come into an index after a later one, so a sum is never kept of the last minute. A history that is
longer than one page can count is counted from page to page.

Games with guests are not counted: they are deleted after a month, and their names are nobody's.
"""

import json
import logging
from collections.abc import Iterable
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

# So many games are read anew by each page before their sum is kept.
KEPT_AFTER = 50
# So many at most, which takes well below a second; the next page goes on from there.
MOST_COUNTED = 2000
# So many opponents are told apart in a sum that is kept, or an item could outgrow the 400 KB that DynamoDB takes.
MOST_OPPONENTS = 200
# The AWS example took names of any length.
LONGEST_NAME = 100
# The name of all others, which nobody can have.
OTHERS = ""
# Far more than an index is ever behind, and than the clocks of servers differ.
SETTLED_AFTER = timedelta(minutes=1)

logger = logging.getLogger(__name__)


class RecordItem(Item):
    """The sum of a player's games up to the cursor ``until``."""

    until = UnicodeAttribute(attr_name="Until")
    scores = UnicodeAttribute(attr_name="Scores")

    @staticmethod
    def key(name: str) -> str:
        return f"record#{name}"


class Score(NamedTuple):
    """``streak`` counts the last games that were won in a row, or below zero lost."""

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
    """Scores by the other player's name; of those who are not told apart, by OTHERS.

    One that is not whole has the older games, and the next page counts on.
    """

    player: str
    until: Cursor | None = None
    scores: dict[str, Score] = field(default_factory=dict)
    is_whole: bool = True

    @property
    def people(self) -> dict[str, Score]:
        """Without the computer, which is no match for anybody, or too much of one."""
        return {name: score for name, score in self.scores.items() if name != COMPUTER}

    @property
    def total(self) -> Score:
        """Of all games with people."""
        return reduce(Score.plus, self.people.values(), Score())

    def count(self, games: Iterable[Entry]) -> None:
        """Add games that ended after ``until``, in the order of their ends."""
        for game in games:
            other = game.other_than(self.player)
            self.until = Cursor.of(game)
            if other and not is_guest(other):
                name = self._told_apart(other)
                self.scores[name] = self.scores.get(name, Score()).after(game, self.player)

    def sum_up(self) -> None:
        """Of the most played opponents alone there is a score each."""
        people = sorted(self.people.keys() - {OTHERS}, key=lambda name: (-self.scores[name].games, name))
        for name in people[MOST_OPPONENTS:]:
            self.scores[OTHERS] = self.scores.get(OTHERS, Score()).plus(self.scores.pop(name))

    def _told_apart(self, other: str) -> str:
        """The name, or OTHERS where older games with them may have been summed up: a score from now on were false."""
        if other == COMPUTER or other in self.scores:
            return other
        summed_up = OTHERS in self.scores and len(self.scores) - (COMPUTER in self.scores) > MOST_OPPONENTS
        return OTHERS if summed_up or len(other) > LONGEST_NAME else other


def of(player: str, now: datetime) -> Record:
    """Raises StoreUnavailable."""
    kept = _kept(player)
    known = kept.until
    fresh, more = lobbies.finished_since(player, known, most=MOST_COUNTED)
    settled = _settled(fresh, now)
    kept.count(settled)
    if settled and (more or len(settled) >= KEPT_AFTER):
        # The page can be shown without, so an outage of writes keeps nobody from it.
        try:
            _keep(kept, known)
        except StoreUnavailable as exc:
            logger.warning("The sum of a record could not be kept: %s", exc)
    kept.count(fresh[len(settled) :])
    kept.is_whole = not more
    return kept


def _settled(games: list[Entry], now: datetime) -> list[Entry]:
    """Those of which the sum may be kept, up to one whose date is one: all later games may stand before "yesterday"."""
    limit = now - SETTLED_AFTER
    settled = list(takewhile(lambda game: game.since is None or game.since < limit, games))
    while settled and settled[-1].since is None:
        settled.pop()
    return settled


def _kept(player: str) -> Record:
    with unavailable():
        try:
            item = RecordItem.get(RecordItem.key(player))
        except RecordItem.DoesNotExist:
            return Record(player)
    scores = {name: Score(*numbers) for name, numbers in json.loads(item.scores).items()}
    return Record(player, Cursor.parse(item.until), scores)


def _keep(record: Record, known: Cursor | None) -> None:
    """Another page may have kept the same sum, or a longer one: that is as good."""
    assert record.until
    record.sum_up()
    item = RecordItem(
        RecordItem.key(record.player), until=record.until.text, scores=json.dumps(record.scores, ensure_ascii=False)
    )
    # Assumes that the sum is still kept that this one was made from.
    same = RecordItem.until.does_not_exist() if known is None else RecordItem.until == known.text
    try:
        conditional.put(item, same)
    except ConditionFailed:
        return
