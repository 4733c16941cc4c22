"""A game as rules, storage, pages and live share it: immutable, made once, and each value worked out once.

It has three sources, and the types say which. An index entry is an Entry: it has no board, so nobody can ask it for
one. The position that a page shows, signed, is a Match: it has no dates. A whole item is a StoredMatch, which is both.
Transitions return the next match, and know no table and no clock.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Self

from games import rules
from games.errors import IllegalMove, NotYours, UnreadableGame
from games.rules import Mark, Outcome, Position, computer

TIE = "Tie"
# How many seconds a move may take, by the word for it.
PACES = {"none": None, "minutes": 300, "day": 86_400}
TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
NOBODYS_TURN = "N/A"


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


@dataclass(frozen=True, kw_only=True)
class Seats:
    """Who plays: what every source of a game knows.

    ``opponent_id`` is None for an open invitation, and against the computer, whose level is ``computer`` then.
    """

    game_id: str
    host: str
    stored_status: Status
    opponent_id: str | None = None
    computer: str | None = None

    @property
    def status(self) -> Status:
        return self.stored_status

    @property
    def opponent(self) -> str | None:
        """The other player, be it the computer; None while an open invitation waits for somebody."""
        return computer.NAME if self.computer else self.opponent_id

    @property
    def players(self) -> tuple[str, str | None]:
        """The host and the opponent."""
        return self.host, self.opponent

    def other_than(self, player: str) -> str | None:
        """Return who plays against the player."""
        return self.opponent if player == self.host else self.host

    def invites(self, player: str) -> bool:
        """Whether the invitation, while it is pending, is for this player: by name, or open and not their own."""
        return player == self.opponent_id or (self.opponent is None and player != self.host)


@dataclass(frozen=True, kw_only=True)
class Entry(Seats):
    """A game as the indexes have it.

    ``status_date`` is the sort key, ``expires_at`` in epoch seconds, ``result`` the winner's name or ``Tie``.
    """

    status_date: str
    result: str | None = None
    expires_at: float | None = None

    @cached_property
    def since(self) -> datetime | None:
        """When the game came into its status; None where the stored date is not in this form."""
        try:
            return datetime.strptime(self.status_date.rpartition("_")[2], TIME_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            return None

    @property
    def is_tie(self) -> bool:
        return self.result == TIE

    @property
    def winner(self) -> str | None:
        """The winner's name; None after a tie, and while the game goes on."""
        return None if self.is_tie else self.result

    def expired(self, now: datetime) -> bool:
        """Whether TTL is free to delete the item, which it does up to days later."""
        return self.expires_at is not None and self.expires_at <= now.timestamp()


@dataclass(frozen=True, kw_only=True)
class Match(Seats):
    """How far a game is, and on what board: enough to write a move under a condition, without reading.

    ``moves`` is None where the order of play was not recorded, as in the AWS example's games. ``o_user`` plays O: the
    host, but in every other rematch. ``pace`` is how many seconds a move may take; None for a game without a time
    limit.
    """

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
    def status(self) -> Status:
        """As stored, but for a game that the AWS example left won and not marked so: that is finished."""
        stored = self.stored_status
        return Status.FINISHED if stored is Status.IN_PROGRESS and self.outcome else stored

    @property
    def decided(self) -> str | None:
        """The result by the board alone: the winner's name or ``Tie``; None while it is open."""
        if self.outcome is None:
            return None
        return TIE if self.outcome.winner is None else self.player_of(self.outcome.winner)

    def mark_of(self, player: str | None) -> Mark | None:
        """Return the player's mark; None for somebody who is not (yet) in the game."""
        if player is None or player not in self.players:
            return None
        return Mark.O if player == (self.o_user or self.host) else Mark.X

    def player_of(self, mark: Mark) -> str | None:
        """Return who plays the mark; None for the open seat."""
        hosts = Mark.X if self.o_user == self.opponent else Mark.O
        return self.host if mark is hosts else self.opponent

    def has_just_played(self, player: str, square: int) -> bool:
        """Whether the player has just taken this square: then asking for it again is no mistake.

        The computer's reply came with the move, so against it the last move but one may be the player's.
        """
        moves, mark = self.moves or "", self.mark_of(player)
        latest = moves[0 if mark is Mark.X else 1 :: 2] if self.computer else moves
        return latest.endswith(str(square)) and self.board[square] == mark

    # Transitions.

    def taken_by(self, player: str) -> Self:
        """Return the match with the player in its open seat; the same match where there is none to take."""
        is_open = self.stored_status is Status.PENDING and self.opponent is None
        return replace(self, opponent_id=player) if is_open and player != self.host else self

    def played(self, player: str, square: int) -> Self:
        """Return the match after the player takes the square. Raises NotYours, IllegalMove."""
        mark = self.mark_of(player)
        if mark is None:
            raise NotYours("This game is between two others: you can watch it.")
        if self.status is Status.FINISHED:
            raise IllegalMove("This game is over.")
        if mark is not self.position.turn:
            waiting = self.status is Status.PENDING
            raise IllegalMove("Nobody has accepted this invitation yet." if waiting else "It is not your turn.")
        return self._after(square)

    def replied(self) -> Self:
        """Return the match after the computer's reply; the same match where it does not play, or where it is over."""
        if not self.computer or self.outcome:
            return self
        return self._after(computer.reply(self.position, self.computer))

    def resigned(self, player: str) -> str:
        """Return who wins when the player resigns. Raises NotYours, IllegalMove."""
        if player not in self.players:
            raise NotYours("This game is between two others: you can watch it.")
        if self.status is Status.PENDING:
            raise IllegalMove("This game has not begun: the invitation can be cancelled.")
        if self.status is Status.FINISHED:
            raise IllegalMove("This game is over.")
        return self.other_than(player) or ""

    def opened(self, square: int | None = None) -> Self:
        """Return a new match against the computer when it is the host's turn: the computer has begun, or the host does.

        ``square`` is the host's first move, to which the computer has replied then. Raises IllegalMove.
        """
        if square is not None:
            return self.played(self.host, square).replied()
        return self if self.mark_of(self.host) is Mark.X else self.replied()

    def _after(self, square: int) -> Self:
        moves = None if self.moves is None else f"{self.moves}{square}"
        return replace(self, board=rules.play(self.position, square).board, moves=moves)


@dataclass(frozen=True, kw_only=True)
class StoredMatch(Match, Entry):
    """A game as its whole item has it.

    ``turn`` is whose turn it is, by name; ``deadline`` until when the next move must have come, in epoch seconds;
    ``ending`` how it ended, if not on the board; ``by_link`` tells an invitation that was open to anybody.
    """

    turn: str | None = None
    deadline: float | None = None
    ending: str | None = None
    by_link: bool | None = None

    @property
    def needs_settling(self) -> bool:
        """Whether the board is decided, and the item does not say so."""
        return self.status is not self.stored_status

    @property
    def whose_turn(self) -> str | None:
        return None if self.status is Status.FINISHED or self.turn == NOBODYS_TURN else self.turn

    def is_late(self, now: datetime) -> bool:
        """Whether the time of whoever is to move is up, so that the other has won: ``store.forfeit`` says so."""
        return self.status is Status.IN_PROGRESS and self.deadline is not None and self.deadline <= now.timestamp()
