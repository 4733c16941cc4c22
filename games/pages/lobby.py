"""What the lobby says: a player's lists of games, and how many of them wait for the player."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from games.models import Game
from games.pages.game import GamePage, summary, titled
from games.storage.lobby import Lobby


@dataclass(frozen=True)
class LobbyPage:
    """A player's lists of games, each game as that player sees it."""

    lobby: Lobby
    viewer: str

    @property
    def received(self) -> list[GamePage]:
        return self._seen(self.lobby.received)

    @property
    def sent(self) -> list[GamePage]:
        return self._seen(self.lobby.sent)

    @property
    def playing(self) -> list[GamePage]:
        return self._seen(self.lobby.playing)

    @property
    def finished(self) -> list[GamePage]:
        return self._seen(self.lobby.finished)

    @property
    def newer(self) -> str | None:
        return self.lobby.newer

    @property
    def older(self) -> str | None:
        return self.lobby.older

    @property
    def is_empty(self) -> bool:
        return not (self.lobby.received or self.lobby.sent or self.lobby.playing or self.lobby.finished)

    @property
    def waiting(self) -> int:
        """How many games wait for the viewer: invitations, and games in which it is the viewer's turn."""
        return len(self.received) + sum(seen.my_turn for seen in self.playing)

    @property
    def title(self) -> str:
        return titled("Your games", self.waiting)

    @property
    def said(self) -> str:
        """What waits for the viewer, a line each: a screen reader says the lines that were not there before."""
        invitations = [f"{seen.game.host_id} invites you." for seen in self.received]
        return "\n".join(invitations + [f"Your turn against {seen.other}." for seen in self.playing if seen.can_move])

    @property
    def version(self) -> str:
        """The same for lists that show the same; times apart, which are told as so long ago."""
        lobby = self.lobby
        shown = [
            # Only a board says whose turn it is; the indexes, which the other lists come from, do not know.
            (game.game_id, game.status_date, game.status, game.whose_turn if games is lobby.playing else None)
            for games in (lobby.received, lobby.playing, lobby.sent, lobby.finished)
            for game in games
        ]
        return blake2b(repr((shown, lobby.newer, lobby.older)).encode(), digest_size=8).hexdigest()

    @property
    def summary(self) -> dict[str, Any]:
        """The lists as JSON, with what the indexes know of each game."""
        lists = {"invitations": "received", "waiting": "sent", "playing": "playing", "finished": "finished"}
        return {"player": self.viewer, "newer": self.newer, "older": self.older} | {
            name: [summary(game) for game in getattr(self.lobby, part)] for name, part in lists.items()
        }

    def _seen(self, games: list[Game]) -> list[GamePage]:
        return [GamePage(game, self.viewer) for game in games]
