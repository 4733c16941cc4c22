"""What the lobby says: a player's lists of games, and how many of them wait for the player."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any

from games.pages.game import GamePage, summary, titled
from games.pages.rights import Listed
from games.storage.lobby import Lobby


@dataclass(frozen=True)
class LobbyPage:
    """A player's lists of games, each game as that player sees it at the time ``now``."""

    lobby: Lobby
    viewer: str
    now: datetime

    @cached_property
    def received(self) -> list[Listed]:
        return [Listed(game, self.viewer) for game in self.lobby.received]

    @cached_property
    def sent(self) -> list[Listed]:
        return [Listed(game, self.viewer) for game in self.lobby.sent]

    @cached_property
    def playing(self) -> list[GamePage]:
        return [GamePage(game, self.viewer, self.now) for game in self.lobby.playing]

    @cached_property
    def finished(self) -> list[Listed]:
        return [Listed(game, self.viewer) for game in self.lobby.finished]

    @property
    def is_empty(self) -> bool:
        return not any(self.lobby.games)

    @property
    def my_turn(self) -> int:
        """How many games wait for the viewer: invitations, and games in which it is the viewer's turn."""
        return len(self.received) + sum(seen.my_turn for seen in self.playing)

    @property
    def title(self) -> str:
        return titled("Your games", self.my_turn)

    @property
    def said(self) -> str:
        """What waits for the viewer, a line each: a screen reader says the lines that were not there before."""
        invitations = [f"{seen.game.host} invites you." for seen in self.received]
        return "\n".join(invitations + [f"Your turn against {seen.other}." for seen in self.playing if seen.can_move])

    @cached_property
    def version(self) -> str:
        """The same for lists that show the same; times apart, which are told as so long ago."""
        lobby = self.lobby
        shown = [
            (game.game_id, game.status_date, game.status)
            for games in (lobby.received, lobby.playing, lobby.sent, lobby.finished)
            for game in games
        ]
        turns = [(game.whose_turn, game.deadline) for game in lobby.playing]
        return blake2b(repr((shown, turns, lobby.newer, lobby.older)).encode(), digest_size=8).hexdigest()

    @property
    def summary(self) -> dict[str, Any]:
        """The lists as JSON, with what the indexes know of each game."""
        lists = {"invitations": "received", "waiting": "sent", "playing": "playing", "finished": "finished"}
        return {"player": self.viewer, "newer": self.lobby.newer, "older": self.lobby.older} | {
            name: [summary(game) for game in getattr(self.lobby, part)] for name, part in lists.items()
        }
