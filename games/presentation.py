"""What a page says of a game to the person looking at it. No HTTP, no DynamoDB: a Game and a name go in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any

from accounts.names import is_guest
from games import rules
from games.models import TIE, Game, Status
from games.queries import Lobby
from games.rules import EMPTY, Mark, Position
from games.signing import signed

SPOKEN = (
    "top left",
    "top middle",
    "top right",
    "middle left",
    "centre",
    "middle right",
    "bottom left",
    "bottom middle",
    "bottom right",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of a drawn board."""

    name: str
    label: str
    mark: str
    playable: bool
    last: bool
    winning: bool


def rows(position: Position, *, playable: bool = False, last: int | None = None) -> list[list[Cell]]:
    """The board as three rows of three cells; ``playable`` makes the empty ones so."""
    ending = rules.outcome(position)
    winning = ending.squares if ending else ()
    cells = [
        Cell(
            name=rules.SQUARES[square],
            label=f"{SPOKEN[square].capitalize()}, {'empty' if mark == EMPTY else mark}",
            mark=mark.strip(),
            playable=playable and mark == EMPTY,
            last=square == last,
            winning=square in winning,
        )
        for square, mark in enumerate(position.board)
    ]
    return [cells[start : start + 3] for start in (0, 3, 6)]


@dataclass(frozen=True)
class GamePage:
    """A game as ``viewer`` sees it; the viewer's name is empty where nobody is logged in."""

    game: Game
    viewer: str

    @cached_property
    def status(self) -> Status:
        return self.game.status

    @property
    def is_host(self) -> bool:
        return self.viewer == self.game.host_id

    @property
    def is_opponent(self) -> bool:
        return bool(self.viewer) and self.viewer == self.game.opponent_id

    @property
    def is_player(self) -> bool:
        return self.is_host or self.is_opponent

    @property
    def is_pending(self) -> bool:
        return self.status is Status.PENDING and not self.is_expired

    @property
    def is_expired(self) -> bool:
        return self.status is Status.PENDING and self.game.expired(datetime.now(UTC))

    @property
    def is_over(self) -> bool:
        return self.status is Status.FINISHED

    @property
    def can_accept(self) -> bool:
        return self.is_pending and bool(self.viewer) and self.game.invites(self.viewer)

    @property
    def may_log_in_to_accept(self) -> bool:
        return self.is_pending and not self.viewer

    @property
    def can_move(self) -> bool:
        my_turn = self.status is Status.IN_PROGRESS and bool(self.viewer) and self.game.whose_turn == self.viewer
        return self.can_accept or (my_turn and self.is_player)

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen, so that nobody need look again."""
        return self.is_over or self.is_expired

    @property
    def waits(self) -> bool:
        """Whether the next thing to happen is somebody else's doing, so that the page should look for it."""
        return not (self.is_final or self.can_move)

    @property
    def waiting(self) -> int:
        """How many games wait for the viewer: this one or none. A lobby counts all of them."""
        return int(self.can_move)

    @property
    def waits_for_a_player(self) -> bool:
        """Whether the viewer's own invitation is for a name that somebody has claimed or may claim."""
        named = self.game.opponent is not None and not is_guest(self.game.opponent)
        return self.is_pending and self.is_host and named

    @property
    def version(self) -> int:
        """Grows whenever the game changes, so that of two pages of it the one with the greater is the newer."""
        if self.game.stored_status is Status.PENDING:
            return 9 if self.is_expired else 0
        marks = 9 - self.game.board.count(EMPTY)
        return marks + (20 if self.game.stored_status is Status.FINISHED else 10)

    @property
    def position(self) -> str:
        return signed(self.game.snapshot)

    @property
    def rows(self) -> list[list[Cell]]:
        moves = self.game.moves
        return rows(self.game.position, playable=self.can_move, last=int(moves[-1]) if moves else None)

    @property
    def other(self) -> str:
        """The one the viewer plays against; for a spectator the invited player."""
        return (self.game.host_id if self.is_opponent else self.game.opponent) or "somebody"

    @property
    def mark(self) -> str:
        """The viewer's mark, or nothing for a spectator."""
        if self.is_host:
            return Mark.O.value
        return Mark.X.value if self.is_opponent or self.can_accept else ""

    @property
    def headline(self) -> str:
        """The one sentence that says how things stand, and whose turn it is."""
        if self.is_over:
            return self._ending
        if self.is_expired:
            return "This invitation has expired."
        if self.status is Status.PENDING:
            return self._invitation
        if self.can_move:
            return f"Your turn: you play {self.mark}."
        return f"It is {self.game.whose_turn}'s turn."

    @property
    def title(self) -> str:
        return _titled(self.headline.rstrip("."), self.waiting)

    @property
    def said(self) -> str:
        """What a screen reader says when the game has changed: the last move, and how things stand now."""
        if not self.game.moves:
            return self.headline
        position, square = self.game.position, int(self.game.moves[-1])
        return f"{position.board[square]} played {SPOKEN[square]}. {'Your turn.' if self.can_move else self.headline}"

    @property
    def _ending(self) -> str:
        winner = self.game.winner
        if winner == TIE:
            return "It's a tie."
        if winner == self.viewer:
            return "You won!"
        return f"You lost: {winner} won." if self.is_player else f"{winner} won."

    @property
    def _invitation(self) -> str:
        if self.can_accept:
            return f"{self.game.host_id} invites you to play. You are X and move first."
        if self.is_host:
            return f"Waiting for {self.other} to accept."
        return f"{self.game.host_id} has invited {self.other} to play."

    @property
    def is_kept(self) -> bool:
        """Whether the game outlives its guests' thirty days."""
        return not any(map(is_guest, self.game.players))

    @property
    def last_move(self) -> int | None:
        """How many moves the replay has, or None where their order is unknown."""
        moves = self.game.moves
        return len(moves) if moves else None


def _titled(text: str, waiting: int) -> str:
    return f"{f'({waiting}) ' if waiting else ''}{text} · Tic-Tac-Toe"


def state(game: Game) -> dict[str, Any]:
    """The game as JSON has it. ``moves`` is null where their order is unknown."""
    return {
        "gameId": game.game_id,
        "status": game.status.value,
        "turn": game.whose_turn,
        "board": list(game.board),
        "result": game.winner,
        "moves": game.moves,
        "host": game.host_id,
        "opponent": game.opponent,
    }


def summary(game: Game) -> dict[str, Any]:
    """What the indexes know of a game, as JSON has it."""
    return {
        "gameId": game.game_id,
        "status": game.status.value,
        "host": game.host_id,
        "opponent": game.opponent,
        "result": game.winner,
        "since": game.since.isoformat() if game.since else None,
    }


@dataclass(frozen=True)
class LobbyPage:
    """A player's lists of games, each game as that player sees it."""

    lobby: Lobby
    viewer: str

    @property
    def invitations(self) -> list[GamePage]:
        return self._seen(self.lobby.invitations)

    @property
    def unanswered(self) -> list[GamePage]:
        return self._seen(self.lobby.waiting)

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
        return not (self.lobby.invitations or self.lobby.waiting or self.lobby.playing or self.lobby.finished)

    @property
    def waiting(self) -> int:
        """How many games wait for the viewer: invitations, and games in which it is the viewer's turn."""
        return len(self.invitations) + sum(seen.waiting for seen in self.playing)

    @property
    def title(self) -> str:
        return _titled("Your games", self.waiting)

    @property
    def version(self) -> str:
        """The same for lists that show the same; times apart, which are told as so long ago."""
        lobby = self.lobby
        shown = [
            # Only a board says whose turn it is; the indexes, which the other lists come from, do not know.
            (game.game_id, game.status_date, game.status, game.whose_turn if games is lobby.playing else None)
            for games in (lobby.invitations, lobby.playing, lobby.waiting, lobby.finished)
            for game in games
        ]
        return blake2b(repr((shown, lobby.newer, lobby.older)).encode(), digest_size=8).hexdigest()

    @property
    def summary(self) -> dict[str, Any]:
        """The lists as JSON, with what the indexes know of each game."""
        lists = ("invitations", "waiting", "playing", "finished")
        return {"player": self.viewer, "newer": self.newer, "older": self.older} | {
            name: [summary(game) for game in getattr(self.lobby, name)] for name in lists
        }

    def _seen(self, games: list[Game]) -> list[GamePage]:
        return [GamePage(game, self.viewer) for game in games]


@dataclass(frozen=True)
class ReplayPage:
    """One moment of a game known by its moves: the board after ``shown`` of them."""

    moves: str
    shown: int

    @cached_property
    def positions(self) -> list[Position]:
        return list(rules.replay(self.moves))

    @property
    def rows(self) -> list[list[Cell]]:
        return rows(self.positions[self.shown], last=int(self.moves[self.shown - 1]) if self.shown else None)

    @property
    def total(self) -> int:
        return len(self.moves)

    @property
    def previous(self) -> int | None:
        return self.shown - 1 if self.shown else None

    @property
    def next(self) -> int | None:
        return self.shown + 1 if self.shown < self.total else None

    @property
    def caption(self) -> str:
        if not self.shown:
            return "The empty board: X moves first."
        mark = self.positions[self.shown - 1].turn
        played = f"Move {self.shown} of {self.total}: {mark} takes {SPOKEN[int(self.moves[self.shown - 1])]}."
        ending = rules.outcome(self.positions[self.shown])
        if ending is None:
            return played
        return f"{played} {f'{ending.winner} wins.' if ending.winner else 'A tie.'}"
