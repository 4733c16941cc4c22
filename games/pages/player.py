"""What a player's page says: the record, the score between its player and who looks at it, and the finished games."""

from dataclasses import dataclass
from typing import Any

from accounts.names import has_page
from games.match import Entry
from games.pages.game import summary
from games.pages.rights import Listed
from games.rules.computer import NAME as COMPUTER
from games.storage.records import OTHERS, Record, Score


@dataclass(frozen=True)
class ProfilePage:
    """``viewer`` is empty where nobody is logged in; ``older`` is the cursor from which the games go on."""

    record: Record
    finished: list[Entry]
    older: str | None
    viewer: str

    @property
    def name(self) -> str:
        return self.record.player

    @property
    def is_counting(self) -> bool:
        """Whether newer games are still to be counted, so that nothing can be said of the latest, or the most."""
        return not self.record.is_whole

    @property
    def games(self) -> list[Listed]:
        return [Listed(game, self.name) for game in self.finished]

    @property
    def opponents(self) -> list[tuple[str, Score]]:
        """Who was played most, with the score: of those who have a page to lead to."""
        if self.is_counting:
            return []
        people = [each for each in self.record.people.items() if has_page(each[0])]
        return sorted(people, key=lambda each: (-each[1].games, each[0]))[:10]

    @property
    def computer(self) -> Score | None:
        return self.record.scores.get(COMPUTER)

    @property
    def between(self) -> Score | None:
        """From the side of this page's player; None where the two have not played, or it is not known."""
        return self.record.scores.get(self.viewer) if self.viewer and not self.is_counting else None

    @property
    def streak(self) -> str:
        """A sentence on the last games between the two; empty where neither has won two in a row."""
        streak = self.between.streak if self.between else 0
        if abs(streak) < 2:
            return ""
        return f"{self.name} has won the last {streak}." if streak > 0 else f"You have won the last {-streak}."

    @property
    def summary(self) -> dict[str, Any]:
        scores = {name: score.summary for name, score in self.record.scores.items() if name != OTHERS}
        record = self.record.total.summary | {"counting": self.is_counting, "against": scores}
        return {"player": self.name, **record, "games": list(map(summary, self.finished)), "older": self.older}
