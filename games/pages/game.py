"""What a game's page says to its viewer, and the game as JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import ceil
from typing import Any

from accounts.names import has_page, is_name, printable
from games.match import PACES, Ending, Entry, Status, StoredMatch
from games.pages.board import SPOKEN, Cell, Stroke, lines_said, rows, strokes
from games.pages.rights import Rights
from games.rules import EMPTY, Mark
from games.rules.computer import NAME as COMPUTER
from games.signing import signed

# The texts for the form's words for levels and paces.
LEVELS_SAID = {"careless": "Easy", "good": "Medium", "perfect": "Unbeatable"}
PACES_SAID = {"none": "no time limit", "minutes": "5 minutes", "day": "1 day"}
WAITING_FOR_ANYBODY = "Waiting for your friend to join."
WHY_LOST: dict[str, str] = {Ending.RESIGNED: "resigned", Ending.LATE: "ran out of time"}


@dataclass(frozen=True)
class GamePage(Rights):
    @property
    def rematch_sentence(self) -> str:
        return f"{self.other} asks for a rematch."

    @property
    def pace(self) -> str:
        """The form's word for the pace."""
        return next((word for word, seconds in PACES.items() if seconds == self.game.pace), "none")

    @property
    def pace_sentence(self) -> str:
        """A sentence on the time per move, for a pending invitation; empty if there is no time limit."""
        said = f"{PACES_SAID[self.pace]} for each move. Run out of time and you lose."
        return said if self.is_pending and self.pace != "none" else ""

    @property
    def deadline(self) -> datetime | None:
        """The deadline of the next move; None without a time limit."""
        return _moment(self.game.deadline) if self.game.status is Status.IN_PROGRESS else None

    @property
    def turn_began(self) -> datetime | None:
        """When the turn began; None if that is unknown or less than a minute ago."""
        began = _moment(self.game.moved_at) if self.game.status is Status.IN_PROGRESS else None
        return began if began and self.now - began >= timedelta(minutes=1) else None

    @property
    def time_left(self) -> str:
        """The time left, in the same words as clock.js."""
        left = self.deadline - self.now if self.deadline else timedelta()
        seconds = ceil(left.total_seconds())
        if seconds <= 0:
            return "time is up"
        hours = round(seconds / 3600)
        return f"{hours} hour{'s'[: hours > 1]} left" if seconds >= 3600 else f"{seconds // 60}:{seconds % 60:02} left"

    @property
    def my_turn(self) -> int:
        """1 if this game waits for the viewer, else 0. A lobby counts all its games."""
        return int(self.can_move or self.is_asked)

    @property
    def version(self) -> int:
        """A number that grows with every change of the game, so that the higher of two versions is the newer.

        Once the game is over, only an offer of a rematch comes and goes.
        """
        if self.game.stored_status is Status.PENDING:
            return 9 if self.is_expired else 0
        marks = 9 - self.game.board.count(EMPTY)
        if self.game.stored_status is not Status.FINISHED:
            return 10 + marks
        return marks + (30 if self.is_asked else 20)

    @cached_property
    def position(self) -> str:
        return signed(self.game)

    @property
    def rows(self) -> list[list[Cell]]:
        moves = self.game.moves
        return rows(self.game.position, playable=self.can_press, last=int(moves[-1]) if moves else None)

    @property
    def strokes(self) -> list[Stroke]:
        return strokes(self.game.position)

    @property
    def board_label(self) -> str:
        if self.can_press and self.is_pending:
            return "Board, your first move accepts"
        if self.game.status is not Status.IN_PROGRESS:
            return "Board"
        return "Board, your turn" if self.can_move else f"Board, {_called(self.game.whose_turn)}'s turn"

    @property
    def seats(self) -> list[tuple[Mark, str | None]]:
        """The marks in the order of play, each with its player (None for an open seat)."""
        return [(mark, self.game.player_of(mark)) for mark in Mark]

    @cached_property
    def score(self) -> tuple[str, int] | None:
        """The series' score, X's wins first, and its ties; None until its first game is over."""
        host, other, ties = self.game.tally
        x, o = (host, other) if self.game.mark_of(self.game.host) is Mark.X else (other, host)
        return (f"{x} : {o}", ties) if any(self.game.tally) else None

    @property
    def linked(self) -> set[str | None]:
        """The other players in the game who have a page: those with a claimed name, as far as the game tells."""
        known = {self.game.host} if self.game.status is Status.PENDING else set(self.game.players)
        return {name for name in known if name not in (COMPUTER, self.viewer) and has_page(name)}

    @property
    def locked_out(self) -> str | None:
        """A player of the unfinished game who can't log in, because this site doesn't allow the name."""
        names = [name for name in self.game.players if name and not is_name(name)]
        return names[0] if names and not self.is_final else None

    @property
    def headline(self) -> str:
        """One sentence on the state of the game and whose turn it is."""
        if self.is_over:
            return self._ending
        if self.is_expired:
            return "This invitation has expired."
        if self.game.status is Status.PENDING:
            return self._invitation
        if self.can_move:
            return f"Your turn: you play {self.mark}."
        return f"{_called(self.game.whose_turn)}'s turn."

    @property
    def title(self) -> str:
        return titled((self.rematch_sentence if self.is_asked else self.headline).rstrip("."), self.my_turn)

    @property
    def said(self) -> str:
        """What a screen reader says after a change: the last move, and the new state."""
        if self.ending_sentence or not self.game.moves:
            return self.headline
        position, square = self.game.position, int(self.game.moves[-1])
        line = lines_said(position)
        move = f"{position.board[square]} played {SPOKEN[square]}{f', {line}' if line else ''}."
        turn = f"Your turn{f', {self.time_left}' if self.deadline else ''}."
        return f"{move} {turn if self.can_move else self.headline}"

    @property
    def winning_mark(self) -> Mark | None:
        return self.game.mark_of(self.game.winner)

    @property
    def ending_sentence(self) -> str:
        """What the loser did, if the board doesn't show it; else empty."""
        return WHY_LOST.get(self.game.ending or "", "")

    @property
    def _ending(self) -> str:
        winner = self.game.winner
        if self.game.is_tie:
            return "It's a tie."
        loser, why = self.game.other_than(winner or ""), self.ending_sentence
        if self.viewer == loser:
            return f"You {why or 'lost'}. {_called(winner)} won."
        won = "You won" if self.has_won else f"{_called(winner)} won"
        return f"{won}: {loser} {why}." if why else f"{won}{'!' if self.has_won else '.'}"

    @property
    def _invitation(self) -> str:
        if self.can_accept or self.offers_seat:
            begins = "go first" if self.mark == Mark.X else "go second"
            return f"{self.game.host} invites you to play. You're {self.mark} and {begins}."
        if self.is_host:
            return f"Waiting for {self.game.opponent} to accept." if self.game.opponent else WAITING_FOR_ANYBODY
        return f"{self.game.host} has invited {self.other} to play."


def _called(player: str | None) -> str:
    """Return what a sentence about the player begins with."""
    return "The computer" if player == COMPUTER else player or "Nobody"


def titled(text: str, my_turn: int) -> str:
    return printable(f"{f'({my_turn}) ' if my_turn else ''}{text} · Tic-Tac-Toe")


def state(game: StoredMatch) -> dict[str, Any]:
    """Return the game as JSON. ``moves`` is null if their order is unknown."""
    return _facts(game) | {"turn": game.whose_turn, "board": list(game.board), "moves": game.moves}


def summary(game: Entry) -> dict[str, Any]:
    """Return what the indexes know of a game, as JSON. A damaged game's status is UNREADABLE, and it has no result."""
    facts = _facts(game) | ({"status": "UNREADABLE", "result": None} if game.is_damaged else {})
    return facts | {"since": game.since.isoformat() if game.since else None}


def details(game: StoredMatch) -> dict[str, Any]:
    """Return all that is stored of the game, as JSON: also its times, and the score of its series."""
    return state(game) | {"score": game.score} | times(game)


def times(game: StoredMatch) -> dict[str, str | None]:
    """Return when status and turn began, the deadline of the turn, and when TTL may delete the item, as JSON."""
    moments = {"since": game.since, "moved": _moment(game.moved_at), "deadline": _moment(game.deadline)}
    moments["expires"] = _moment(game.expires_at)
    return {name: moment.isoformat() if moment else None for name, moment in moments.items()}


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _facts(game: Entry) -> dict[str, Any]:
    facts = {"gameId": game.game_id, "status": game.status.value, "host": game.host}
    return facts | {"opponent": game.opponent, "result": game.result}
