"""A player's record: won, lost and tied against everybody, counted from the finished games themselves.

Nothing is counted when a game ends, so nothing can be counted twice or missed, whatever fails: the record is what the
two indexes show. So that a page of somebody with ten thousand games does not read them all, the sum up to a place in
their order is kept in an item of its own, at the key ``record#<name>``, and only what came later is read. A game that
has just ended may come into an index after a later one, so a sum is never kept of the last minute.

Games with guests are not counted: they are deleted after a month, and their names are nobody's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from pynamodb.attributes import UnicodeAttribute

from accounts.names import is_guest
from games import queries, table
from games.computer import NAME as COMPUTER
from games.models import TIE, Game
from games.queries import Place
from games.table import ConditionFailed, TableItem

# So many games are read anew by each page before their sum is kept.
KEPT_AFTER = 50
# Far more than an index is ever behind, and than the clocks of servers differ.
SETTLED_AFTER = timedelta(minutes=1)


class RecordItem(TableItem):
    """The sum of a player's games up to the place ``until``."""

    until = UnicodeAttribute(attr_name="Until")
    scores = UnicodeAttribute(attr_name="Scores")

    @staticmethod
    def key(name: str) -> str:
        return f"record#{name}"


@dataclass(frozen=True, slots=True)
class Score:
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

    def after(self, result: str | None, player: str) -> Score:
        if result == TIE:
            return Score(self.won, self.lost, self.tied + 1, 0)
        if result == player:
            return Score(self.won + 1, self.lost, self.tied, max(self.streak, 0) + 1)
        return Score(self.won, self.lost + 1, self.tied, min(self.streak, 0) - 1)


@dataclass(slots=True)
class Record:
    """Scores by the other player's name."""

    player: str
    until: Place | None = None
    scores: dict[str, Score] = field(default_factory=dict)

    @property
    def people(self) -> dict[str, Score]:
        """Without the computer, which is no match for anybody, or too much of one."""
        return {name: score for name, score in self.scores.items() if name != COMPUTER}

    @property
    def total(self) -> Score:
        """Of all games with people."""
        return Score(*(sum(getattr(score, kind) for score in self.people.values()) for kind in ("won", "lost", "tied")))

    def count(self, games: Iterable[Game]) -> None:
        """Add games that ended after ``until``, in the order of their ends."""
        for game in games:
            other = game.opponent if game.host_id == self.player else game.host_id
            self.until = Place.of(game)
            if other and not is_guest(other):
                self.scores[other] = self.scores.get(other, Score()).after(game.winner, self.player)


def of(player: str) -> Record:
    """Raises StoreUnavailable."""
    kept = _kept(player)
    known = kept.until
    fresh = queries.finished_since(player, known)
    limit = datetime.now(UTC) - SETTLED_AFTER
    settled = list(takewhile(lambda game: game.since is None or game.since < limit, fresh))
    kept.count(settled)
    if len(settled) >= KEPT_AFTER:
        _keep(kept, known)
    kept.count(fresh[len(settled) :])
    return kept


def _kept(player: str) -> Record:
    with table.unavailable():
        try:
            item = RecordItem.get(RecordItem.key(player))
        except RecordItem.DoesNotExist:
            return Record(player)
    scores = {name: Score(*numbers) for name, numbers in json.loads(item.scores).items()}
    return Record(player, Place.of_cursor(item.until), scores)


def _keep(record: Record, known: Place | None) -> None:
    """Another page may have kept the same sum, or a longer one: that is as good."""
    assert record.until
    scores = {name: (score.won, score.lost, score.tied, score.streak) for name, score in record.scores.items()}
    item = RecordItem(RecordItem.key(record.player), until=record.until.cursor, scores=json.dumps(scores))
    # Assumes that the sum is still kept that this one was made from.
    same = RecordItem.until.does_not_exist() if known is None else RecordItem.until == known.cursor
    try:
        table.put(item, same)
    except ConditionFailed:
        return
