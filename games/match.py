"""An immutable Match: what a game is to its rules. Transitions return the next one, and know no table and no clock.

It is made from a whole item (``models``) or from the position that a page shows (``signing``). What follows from the
board is worked out once, when it is first asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property

from games import rules
from games.errors import IllegalMove, NotYours, UnreadableGame
from games.rules import EMPTY, Mark, Outcome, Position, computer

TIE = "Tie"
# How many seconds a move may take, by the word for it.
PACES = {"none": None, "minutes": 300, "day": 86_400}
TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


class Status(StrEnum):
    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"

    def dated(self, moment: datetime) -> str:
        """Return the value of StatusDate: a prefix to select by and a UTC time to sort by."""
        return f"{self}_{moment.astimezone(UTC).strftime(TIME_FORMAT)}"


class Ending(StrEnum):
    """Why a game is finished whose board is not decided."""

    RESIGNED = "resigned"
    LATE = "late"


@dataclass(frozen=True)
class Match:
    """Who plays, how far it is, and on what board: enough to write a move under a condition, without reading.

    ``moves`` is None where the order of play was not recorded, as in the AWS example's games. ``opponent`` is None
    for an open invitation and against the computer. ``o_user`` plays O: the host, but in every other rematch.
    ``pace`` is how many seconds a move may take; None for a game without a time limit. The order of the fields is
    that of signed positions, which pages of an earlier version sent without the last two.
    """

    game_id: str
    host: str
    opponent: str | None
    computer: str | None
    status: Status
    board: str
    moves: str | None
    o_user: str = ""
    pace: int | None = None

    @cached_property
    def position(self) -> Position:
        """The board as the rules have it. Raises UnreadableGame where no game leads to it."""
        try:
            return Position(self.board)
        except rules.Malformed as exc:
            raise UnreadableGame("This game's stored board can't be the board of a game.") from exc

    @cached_property
    def outcome(self) -> Outcome | None:
        """How the board ended the game; None while it goes on. Raises UnreadableGame."""
        return rules.outcome(self.position)

    @property
    def result(self) -> str | None:
        """The value of Result for the board: the winner's name or ``Tie``; None where the game goes on."""
        if self.outcome is None:
            return None
        return TIE if self.outcome.winner is None else self.player_of(self.outcome.winner)

    @property
    def is_over(self) -> bool:
        """Whether it is marked finished, or decided on the board."""
        return self.status is Status.FINISHED or self.outcome is not None

    @property
    def is_open(self) -> bool:
        """Whether it is an invitation that anybody but the host may take."""
        return self.status is Status.PENDING and self.opponent is None and not self.computer

    @property
    def players(self) -> tuple[str, str | None]:
        """The host and the other, who is None while an open invitation waits for somebody."""
        return self.host, computer.NAME if self.computer else self.opponent

    def mark_of(self, player: str) -> Mark | None:
        """Return the player's mark; None for somebody who is not (yet) in the game."""
        if player not in self.players:
            return None
        return Mark.O if player == (self.o_user or self.host) else Mark.X

    def player_of(self, mark: Mark) -> str | None:
        """Return who plays the mark; None for the open seat."""
        host, other = self.players
        hosts = Mark.X if self.o_user == other else Mark.O
        return host if mark is hosts else other

    def other_than(self, player: str) -> str | None:
        """Return who plays against the player."""
        host, other = self.players
        return other if player == host else host

    # Transitions.

    def taken_by(self, player: str) -> Match:
        """Return the match with the player in its open seat; the same match where there is none to take."""
        return replace(self, opponent=player) if self.is_open and player != self.host else self

    def played(self, player: str, square: int) -> Match:
        """Return the match after the player takes the square. Raises NotYours, IllegalMove."""
        mark = self.mark_of(player)
        if mark is None:
            raise NotYours("This game is between two others: you can watch it.")
        if self.is_over:
            raise IllegalMove("This game is over.")
        if mark is not self.position.turn:
            waiting = self.status is Status.PENDING
            raise IllegalMove("Nobody has accepted this invitation yet." if waiting else "It is not your turn.")
        return self._after(square)

    def replied(self) -> Match:
        """Return the match after the computer's reply; the same match where it plays not, or where it is over."""
        if not self.computer or self.outcome:
            return self
        return self._after(computer.reply(self.position, self.computer))

    def resigned(self, player: str) -> str:
        """Return who wins when the player resigns. Raises NotYours, IllegalMove."""
        if player not in self.players:
            raise NotYours("This game is between two others: you can watch it.")
        if self.status is Status.PENDING:
            raise IllegalMove("This game has not begun: the invitation can be cancelled.")
        if self.is_over:
            raise IllegalMove("This game is over.")
        return self.other_than(player) or ""

    def _after(self, square: int) -> Match:
        moves = None if self.moves is None else f"{self.moves}{square}"
        return replace(self, board=rules.play(self.position, square).board, moves=moves)


def against_computer(game_id: str, host: str, level: str, *, host_begins: bool, square: int | None) -> Match:
    """Return a new match in which it is the host's turn: the computer has begun, unless the host does.

    ``square`` is the host's first move, to which the computer has replied then. Raises IllegalMove.
    """
    o_user = computer.NAME if host_begins or square is not None else host
    match = Match(game_id, host, None, level, Status.IN_PROGRESS, EMPTY * 9, "", o_user)
    if square is not None:
        return match.played(host, square).replied()
    return match if host_begins else match.replied()
