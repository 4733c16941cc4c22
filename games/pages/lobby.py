"""The content of the lobby: a player's lists of games, and how many games wait for the player."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from itertools import chain
from math import inf
from typing import Any

from accounts.names import has_page
from games.match import Entry
from games.pages.game import GamePage, summary, titled
from games.pages.rights import Listed
from games.rules.computer import NAME as COMPUTER
from games.storage.lobby import Lobby


def _urgency(seen: GamePage) -> tuple[bool, float, float, str]:
    """Return the key to sort by. Games whose turn began before that was stored come first."""
    return not seen.can_move, seen.game.deadline or inf, seen.game.moved_at or 0, seen.game.status_date


@dataclass(frozen=True)
class LobbyPage:
    """A player's lists of games, as ``viewer`` sees them at ``now``."""

    lobby: Lobby
    viewer: str
    now: datetime

    @cached_property
    def playing(self) -> list[GamePage]:
        """The games in progress as a queue: the viewer's turns first, the least time left, then the longest turn."""
        games = (GamePage(game, self.viewer, self.now) for game in self.lobby.playing)
        return sorted(games, key=_urgency)

    def listed(self, games: list[Entry]) -> list[Listed]:
        return [Listed(game, self.viewer) for game in games]

    @property
    def people(self) -> list[str]:
        """The others in these games who have a page, those of running games first: whom to suggest for a new one."""
        lobby = self.lobby
        games = chain(lobby.playing, lobby.unread, lobby.received, lobby.sent, lobby.finished, lobby.damaged)
        others = dict.fromkeys(game.other_than(self.viewer) for game in games)
        return [name for name in others if name and name != COMPUTER and has_page(name)]

    @property
    def is_empty(self) -> bool:
        return not any(self.lobby.games)

    @cached_property
    def my_turn(self) -> int:
        """The number of games that wait for the viewer: invitations, and games with the viewer to move."""
        return len(self.lobby.received) + sum(seen.my_turn for seen in self.playing)

    @property
    def title(self) -> str:
        return titled("Your games", self.my_turn)

    @property
    def said(self) -> str:
        """One line for each game that waits for the viewer. A screen reader says the lines that are new."""
        invitations = [f"{game.host} invites you." for game in self.lobby.received]
        return "\n".join(invitations + [f"Your turn against {seen.other}." for seen in self.playing if seen.can_move])

    @cached_property
    def version(self) -> str:
        """A hash of what the lists show, ignoring relative times."""
        lobby = self.lobby
        lists = (lobby.received, lobby.playing, lobby.unread, lobby.sent, lobby.finished, lobby.damaged)
        shown = [[(game.game_id, game.status_date, game.status, game.result) for game in games] for games in lists]
        turns = [(game.board, game.whose_turn, game.deadline) for game in lobby.playing]
        return blake2b(repr((shown, turns, lobby.newer, lobby.older)).encode(), digest_size=8).hexdigest()

    @property
    def summary(self) -> dict[str, Any]:
        """The lists as JSON, with what the indexes know of each game."""
        lobby = self.lobby
        lists: dict[str, Sequence[Entry]] = {"invitations": lobby.received, "waiting": lobby.sent}
        lists |= {"playing": [*lobby.playing, *lobby.unread], "finished": lobby.finished, "damaged": lobby.damaged}
        return {"player": self.viewer, "newer": lobby.newer, "older": lobby.older} | {
            name: [summary(game) for game in games] for name, games in lists.items()
        }
