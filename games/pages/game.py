"""What a game's page says of it to the person looking at it, and what JSON does. A Game and a name go in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import ceil
from typing import Any

from accounts.names import has_page, is_guest
from games.match import PACES, TIE, Ending, Match, Status
from games.models import Game
from games.pages.board import SPOKEN, Cell, Stroke, lines_said, rows, strokes
from games.rules import EMPTY, Mark
from games.rules.computer import NAME as COMPUTER
from games.signing import signed

# By the form's words for them.
PACES_SAID = {"none": "no hurry", "minutes": "5 minutes", "day": "1 day"}
# How long somebody whose game is over is likely to look at it yet.
STAYS = timedelta(minutes=10)
OPEN_SEAT = "Press a square to begin. No account needed."
WHY_LOST: dict[str, str] = {Ending.RESIGNED: "resigned", Ending.LATE: "ran out of time"}


@dataclass(frozen=True)
class GamePage:
    """A game as ``viewer`` sees it; the viewer's name is empty where nobody is logged in.

    ``rematch`` is the game that follows a finished one, where somebody has asked for it and it was looked for.
    """

    game: Game
    viewer: str
    rematch: Game | None = None

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
    def offers_seat(self) -> bool:
        """Whether a visitor may take the open seat by moving, and is a guest then."""
        return self.is_pending and not self.viewer and self.game.opponent is None

    @property
    def can_press(self) -> bool:
        """Whether the empty squares are buttons."""
        return self.can_move or self.offers_seat

    @property
    def may_log_in_to_accept(self) -> bool:
        return self.is_pending and not self.viewer

    @property
    def can_move(self) -> bool:
        my_turn = self.status is Status.IN_PROGRESS and bool(self.viewer) and self.game.whose_turn == self.viewer
        return (self.can_accept and self.mark == Mark.X) or (my_turn and self.is_player)

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen, so that nobody need look again."""
        return self.is_over or self.is_expired

    @property
    def can_resign(self) -> bool:
        return self.status is Status.IN_PROGRESS and self.is_player

    @property
    def can_ask_again(self) -> bool:
        """Whether the viewer may ask for a rematch."""
        return self.is_over and self.is_player

    @property
    def asks_again(self) -> str:
        """A sentence, where the other waits for the viewer to agree to a rematch; else empty."""
        asked = self.rematch and GamePage(self.rematch, self.viewer)
        return f"{self.other} asks for a rematch." if asked and asked.can_accept else ""

    @property
    def hopes(self) -> bool:
        """Whether the other may still be there, and ask for a rematch."""
        ended = self.game.since if self.can_ask_again and not self.game.computer else None
        return ended is not None and datetime.now(UTC) - ended < STAYS

    @property
    def pace(self) -> str:
        """By the form's word for it."""
        return next((word for word, seconds in PACES.items() if seconds == self.match.pace), "none")

    @property
    def hurry(self) -> str:
        """How long each move of an invitation's game will have; empty where there is no hurry."""
        said = f"{PACES_SAID[self.pace]} for each move: who is late has lost."
        return said if self.is_pending and self.pace != "none" else ""

    @property
    def deadline(self) -> datetime | None:
        """Until when the next move must have come; None in a game without hurry."""
        seconds = self.game.deadline if self.status is Status.IN_PROGRESS else None
        return datetime.fromtimestamp(seconds, UTC) if seconds else None

    @property
    def time_left(self) -> str:
        """As clock.js says it."""
        left = self.deadline - datetime.now(UTC) if self.deadline else timedelta()
        seconds = ceil(left.total_seconds())
        if seconds <= 0:
            return "time is up"
        hours = seconds // 3600
        return f"{hours} hour{'s'[: hours > 1]} left" if hours else f"{seconds // 60}:{seconds % 60:02} left"

    @property
    def waits(self) -> bool:
        """Whether the next thing to happen is somebody else's doing, so that the page should look for it."""
        return not (self.is_final or self.can_move)

    @property
    def waiting(self) -> int:
        """How many games wait for the viewer: this one or none. A lobby counts all of them."""
        return int(self.can_move or bool(self.asks_again))

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
        if self.game.stored_status is not Status.FINISHED:
            return 10 + marks
        return marks + (30 if self.asks_again else 20)

    @property
    def position(self) -> str:
        return signed(self.match)

    @property
    def rows(self) -> list[list[Cell]]:
        moves = self.game.moves
        return rows(self.game.position, playable=self.can_press, last=int(moves[-1]) if moves else None)

    @property
    def strokes(self) -> list[Stroke]:
        return strokes(self.game.position)

    @property
    def board_label(self) -> str:
        """What a screen reader says on the way into the board."""
        if self.can_press and self.is_pending:
            return "Board, your first move accepts"
        if self.status is not Status.IN_PROGRESS:
            return "Board"
        return "Board, your turn" if self.can_move else f"Board, {self.game.whose_turn}'s turn"

    @property
    def other(self) -> str:
        """The one the viewer plays against; for a spectator the invited player."""
        return (self.game.host_id if self.is_opponent else self.game.opponent) or "somebody"

    @cached_property
    def match(self) -> Match:
        return self.game.match

    @property
    def seats(self) -> list[tuple[Mark, str | None]]:
        """The marks in the order of play, each with its player, who is None while an open invitation waits."""
        return [(mark, self.match.player_of(mark)) for mark in Mark]

    @property
    def linked(self) -> set[str | None]:
        """The others in it who have a page of their own: names that somebody has claimed, as far as the game knows."""
        known = {self.game.host_id} if self.status is Status.PENDING else set(self.game.players)
        return {name for name in known if name not in (COMPUTER, self.viewer) and has_page(name)}

    @property
    def preview(self) -> str:
        """What a messenger shows of the link, which it opens as a visitor: the title, and below it a hint."""
        host, other = self.game.host_id, self.game.opponent
        if self.is_pending:
            return f"{host} invites {other or 'you'} to tic-tac-toe"
        return f"{host} against {other or 'an open seat'}: tic-tac-toe"

    @property
    def preview_hint(self) -> str:
        if self.is_final:
            return self.headline
        if not self.is_pending:
            return "Watch the game."
        return f"Log in as {self.game.opponent} to play." if self.game.opponent else OPEN_SEAT

    @property
    def mark(self) -> str:
        """The viewer's mark, also one that an open invitation offers; nothing for a spectator."""
        offered = self.offers_seat or (self.can_accept and self.game.opponent is None)
        mark = Mark.X if offered else self.match.mark_of(self.viewer)
        return mark.value if mark else ""

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
        return f"{self.game.whose_turn}'s turn."

    @property
    def title(self) -> str:
        return titled((self.asks_again or self.headline).rstrip("."), self.waiting)

    @property
    def said(self) -> str:
        """What a screen reader says when the game has changed: the last move, and how things stand now."""
        if self.asks_again or self.why or not self.game.moves:
            return self.asks_again or self.headline
        position, square = self.game.position, int(self.game.moves[-1])
        line = lines_said(position)
        move = f"{position.board[square]} played {SPOKEN[square]}{f', {line}' if line else ''}."
        turn = f"Your turn{f', {self.time_left}' if self.deadline else ''}."
        return f"{move} {turn if self.can_move else self.headline}"

    @property
    def result(self) -> str:
        """How a finished game ended for the viewer, in a word."""
        winner = self.game.winner
        return "Tied" if winner == TIE else "Won" if winner == self.viewer else "Lost"

    @property
    def has_won(self) -> bool:
        return bool(self.viewer) and self.game.winner == self.viewer

    @property
    def winner(self) -> Mark | None:
        """The mark that has won."""
        return self.match.mark_of(self.game.winner or "")

    @property
    def why(self) -> str:
        """What the loser did where the board does not show it; else empty."""
        return WHY_LOST.get(self.game.ending or "", "")

    @property
    def _ending(self) -> str:
        winner = self.game.winner
        if winner == TIE:
            return "It's a tie."
        loser, why = self.match.other_than(winner or ""), self.why
        if self.viewer == loser:
            return f"You {why or 'lost'}: {winner} won."
        won = "You won" if self.has_won else f"{winner} won"
        return f"{won}: {loser} {why}." if why else f"{won}{'!' if self.has_won else '.'}"

    @property
    def _invitation(self) -> str:
        if self.can_accept or self.offers_seat:
            begins = "move first" if self.mark == Mark.X else "move second"
            return f"{self.game.host_id} invites you to play. You are {self.mark} and {begins}."
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


def titled(text: str, waiting: int) -> str:
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
