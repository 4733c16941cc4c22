"""The content of a player's page: the record, the score against the viewer, and the finished games."""

from typing import Any, NamedTuple

from accounts.names import has_page
from games.match import Entry
from games.pages.game import summary
from games.pages.rights import Listed
from games.rules.computer import NAME as COMPUTER
from games.storage.records import OTHERS, Record, Score


class ProfilePage(NamedTuple):
    """A player's page. ``viewer`` is empty if not logged in. ``older`` is the cursor for the next page of games."""

    record: Record
    finished: list[Entry]
    older: str | None
    viewer: str

    @property
    def name(self) -> str:
        return self.record.player

    @property
    def is_counting(self) -> bool:
        """Whether newer games are still uncounted, so that neither the latest nor the most frequent are known."""
        return not self.record.is_whole

    @property
    def games(self) -> list[Listed]:
        return [Listed(game, self.name) for game in self.finished]

    @property
    def opponents(self) -> list[tuple[str, Score]]:
        """The ten most frequent opponents with the scores, without those who have no page."""
        if self.is_counting:
            return []
        people = [each for each in self.record.people.items() if has_page(each[0])]
        return sorted(people, key=lambda each: (-each[1].games, each[0]))[:10]

    @property
    def computer(self) -> Score | None:
        return self.record.scores.get(COMPUTER)

    @property
    def between(self) -> Score | None:
        """This player's score against the viewer; None if the two haven't played, or the score isn't known yet."""
        return self.record.scores.get(self.viewer) if self.viewer and not self.is_counting else None

    @property
    def streak(self) -> str:
        """A sentence on the last games between the two; empty unless one of them won at least two in a row."""
        streak = self.between.streak if self.between else 0
        if abs(streak) < 2:
            return ""
        return f"{self.name} has won the last {streak}." if streak > 0 else f"You have won the last {-streak}."

    @property
    def summary(self) -> dict[str, Any]:
        scores = {name: score.summary for name, score in self.record.scores.items() if name != OTHERS}
        record = self.record.total.summary | {"counting": self.is_counting, "against": scores}
        return {"player": self.name, **record, "games": list(map(summary, self.finished)), "older": self.older}
