"""A game as rules, storage, pages and live share it: immutable, with cached properties.

Its three types have three sources (docs/architecture.md). Transitions return the next match, without table or clock.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Self

from games import rules
from games.errors import IllegalMove, NotYours, UnreadableGame
from games.rules import Mark, Outcome, Position, computer

TIE = "Tie"
# Seconds per move, by the form's word for the pace.
PACES = {"none": None, "minutes": 300, "day": 86_400}
NOBODYS_TURN = "N/A"
_SCORE = re.compile("([0-9]{1,6}):([0-9]{1,6}):([0-9]{1,6})")


class Status(StrEnum):
    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"

    def dated(self, moment: datetime) -> str:
        """Return the StatusDate value: the status as a prefix for queries, and a UTC time to sort by."""
        return f"{self}_{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


class Ending(StrEnum):
    """The reason why a game is finished although its board isn't decided."""

    RESIGNED = "resigned"
    LATE = "late"


@dataclass(frozen=True, kw_only=True)
class Seats:
    """The players, which every source of a game knows.

    ``opponent_id`` is None for an open invitation and for a game against the computer; ``computer`` is then its level.
    ``stored_result`` is the winner's name or ``Tie``.
    """

    game_id: str
    host: str
    stored_status: Status
    opponent_id: str | None = None
    computer: str | None = None
    stored_result: str | None = None

    @property
    def status(self) -> Status:
        return self.stored_status

    @cached_property
    def result(self) -> str | None:
        return self.stored_result

    @property
    def is_tie(self) -> bool:
        return self.result == TIE

    @property
    def winner(self) -> str | None:
        """The winner's name; None for a tie or an unfinished game."""
        return None if self.is_tie else self.result

    @property
    def opponent(self) -> str | None:
        """The other player, who may be the computer; None for an open invitation."""
        return computer.NAME if self.computer else self.opponent_id

    @property
    def players(self) -> tuple[str, str | None]:
        return self.host, self.opponent

    def other_than(self, player: str) -> str | None:
        return self.opponent if player == self.host else self.host

    def invites(self, player: str) -> bool:
        """Whether the invitation, while pending, is for this player: by name, or open and not their own."""
        return player == self.opponent_id or (self.opponent is None and player != self.host)


@dataclass(frozen=True, kw_only=True)
class Entry(Seats):
    """A game from an index.

    ``status_date`` is the sort key, ``expires_at`` is in epoch seconds. ``ending`` is the reason if the board doesn't
    show it, which no index knows. A game that ``is_damaged`` can't be opened.
    """

    status_date: str
    ending: str | None = None
    expires_at: float | None = None
    is_damaged: bool = False

    @cached_property
    def since(self) -> datetime | None:
        """When the game got its status; None if the stored date is none."""
        try:
            moment = datetime.fromisoformat(self.status_date.rpartition("_")[2])
        except ValueError:
            return None
        return moment.replace(tzinfo=moment.tzinfo or UTC)

    @cached_property
    def has_result(self) -> bool:
        """Whether the result is one that the game can have."""
        return self.result in (TIE, *self.players) and self.result is not None

    def expired(self, now: datetime) -> bool:
        """Whether TTL may delete the item. The deletion may come days later."""
        return self.expires_at is not None and self.expires_at <= now.timestamp()


@dataclass(frozen=True, kw_only=True)
class Match(Seats):
    """The players and the board: enough for a conditional write of a move without a read.

    ``moves`` is None if the order of play wasn't recorded, as in the AWS example's games. ``o_user`` plays O: the host,
    except in every other rematch. ``pace`` is the seconds per move; None for no time limit. ``score`` is that of the
    earlier games in a series of rematches: the host's wins, the opponent's, and ties, such as ``2:1:0``.
    """

    board: str
    moves: str | None
    o_user: str = ""
    pace: int | None = None
    score: str | None = None

    @cached_property
    def position(self) -> Position:
        """The board as the rules' Position. Raises UnreadableGame if no game can lead to it."""
        try:
            return Position(self.board)
        except rules.Malformed as exc:
            raise UnreadableGame("This game's stored board can't be the board of a game.") from exc

    @cached_property
    def outcome(self) -> Outcome | None:
        """The outcome on the board; None while the game goes on. Raises UnreadableGame."""
        return rules.outcome(self.position)

    @cached_property
    def status(self) -> Status:
        """The stored status, except that a game the AWS example left won but unfinished counts as finished."""
        stored = self.stored_status
        return Status.FINISHED if stored is Status.IN_PROGRESS and self.outcome else stored

    @property
    def decided(self) -> str | None:
        """The result on the board alone: the winner's name or ``Tie``; None while undecided."""
        if self.outcome is None:
            return None
        return TIE if self.outcome.winner is None else self.player_of(self.outcome.winner)

    @cached_property
    def result(self) -> str | None:
        """The result on the board; the stored one while the board is undecided."""
        return self.decided or self.stored_result

    @cached_property
    def tally(self) -> tuple[int, ...]:
        """The series' score, with this game once it's over: the host's wins, the opponent's, and ties."""
        earlier = _SCORE.fullmatch(self.score or "0:0:0")
        ended = self.result if self.status is Status.FINISHED else ""
        counts = earlier.groups() if earlier else "000"  # somebody edited it
        return tuple(int(count) + (ended == whose) for count, whose in zip(counts, (*self.players, TIE), strict=True))

    def score_for(self, host: str) -> str:
        """Return the ``score`` of a rematch with this host, one of the two."""
        mine, theirs, ties = self.tally
        return f"{mine}:{theirs}:{ties}" if host == self.host else f"{theirs}:{mine}:{ties}"

    def mark_of(self, player: str | None) -> Mark | None:
        """Return the player's mark; None if they aren't in the game (yet)."""
        if player is None or player not in self.players:
            return None
        return Mark.O if player == (self.o_user or self.host) else Mark.X

    def player_of(self, mark: Mark) -> str | None:
        """Return the player of the mark; None for the open seat."""
        hosts = Mark.X if self.o_user == self.opponent else Mark.O
        return self.host if mark is hosts else self.opponent

    def has_just_played(self, player: str, square: int) -> bool:
        """Whether the player's last move took this square, so a repeat is no error. The computer may have replied."""
        moves, mark = self.moves or "", self.mark_of(player)
        latest = moves[0 if mark is Mark.X else 1 :: 2] if self.computer else moves
        return latest.endswith(str(square)) and self.board[square] == mark

    def taken_by(self, player: str) -> Self:
        """Return the match with the player in its open seat, or the same match if there is none to take."""
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
        """Return the match after the computer's reply, or the same match if it isn't playing or the game is over."""
        if not self.computer or self.outcome:
            return self
        return self._after(computer.reply(self.position, self.computer))

    def resigned(self, player: str) -> str:
        """Return the winner's name if the player resigns. Raises NotYours, IllegalMove."""
        if player not in self.players:
            raise NotYours("This game is between two others: you can watch it.")
        if self.status is Status.PENDING:
            raise IllegalMove("This game has not begun: the invitation can be cancelled.")
        if self.status is Status.FINISHED:
            raise IllegalMove("This game is over.")
        return self.other_than(player) or ""

    def opened(self, square: int | None = None) -> Self:
        """Return a new match against the computer when it is the host's turn: the computer has begun, or the host will.

        ``square`` is the host's first move; the computer has then replied to it. Raises IllegalMove.
        """
        if square is not None:
            return self.played(self.host, square).replied()
        return self if self.mark_of(self.host) is Mark.X else self.replied()

    def _after(self, square: int) -> Self:
        moves = None if self.moves is None else f"{self.moves}{square}"
        return replace(self, board=rules.play(self.position, square).board, moves=moves)


@dataclass(frozen=True, kw_only=True)
class StoredMatch(Match, Entry):
    """A game from its whole item.

    ``turn`` is the name of the player to move; ``moved_at`` is when the turn began, if known, and ``deadline`` when it
    ends, in epoch seconds; ``by_link`` marks an invitation that was open to anybody.
    """

    turn: str | None = None
    deadline: float | None = None
    moved_at: float | None = None
    by_link: bool | None = None

    @property
    def needs_settling(self) -> bool:
        """Whether the game is over, but the item has another status or result."""
        stored = self.stored_status, self.stored_result
        return self.status is Status.FINISHED and stored != (self.status, self.result)

    @cached_property
    def whose_turn(self) -> str | None:
        """The player to move, by the board; None for an open seat and a finished game."""
        return None if self.status is Status.FINISHED else self.player_of(self.position.turn)

    def is_late(self, now: datetime) -> bool:
        """Whether the player to move has run out of time and lost, which ``store.forfeit`` then writes."""
        return self.status is Status.IN_PROGRESS and self.deadline is not None and self.deadline <= now.timestamp()
