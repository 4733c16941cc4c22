"""How a player sees a game in a list, and what the viewer of a game may do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from accounts import generations
from accounts.names import is_guest
from games.match import Ending, Entry, Status, StoredMatch
from games.rules import Mark

# How long players are likely to stay on the page of a finished game.
STAYS = timedelta(minutes=10)
# More than servers' clocks differ. The AWS example writes local time, which may be hours ahead.
SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class Listed:
    """A game in a list, as ``viewer`` sees it. The viewer's name is empty if not logged in."""

    game: Entry
    viewer: str

    @property
    def is_host(self) -> bool:
        return self.viewer == self.game.host

    @property
    def is_opponent(self) -> bool:
        return bool(self.viewer) and self.viewer == self.game.opponent_id

    @property
    def other(self) -> str:
        """The viewer's opponent; for a spectator, the invited player."""
        return (self.game.host if self.is_opponent else self.game.opponent) or "somebody"

    @property
    def has_won(self) -> bool:
        return bool(self.viewer) and self.game.winner == self.viewer

    @property
    def result(self) -> str:
        """How a finished game ended for the viewer, in a word, and whether on time if the list knows it."""
        if self.game.is_damaged:
            return "Damaged"
        if not self.game.has_result:
            return "Unknown"
        on_time = " on time" if self.game.ending == Ending.LATE else ""
        return "Tied" if self.game.is_tie else f"{'Won' if self.has_won else 'Lost'}{on_time}"


@dataclass(frozen=True)
class Rights(Listed):
    """What the viewer may do at ``now``. ``rematch`` is the next game, if somebody asked for it and we looked it up."""

    game: StoredMatch
    now: datetime
    rematch: StoredMatch | None = None

    @property
    def is_player(self) -> bool:
        return self.is_host or self.is_opponent

    @cached_property
    def is_pending(self) -> bool:
        return self.game.status is Status.PENDING and not self.is_expired

    @cached_property
    def is_expired(self) -> bool:
        return self.game.status is Status.PENDING and self.game.expired(self.now)

    @property
    def is_over(self) -> bool:
        return self.game.status is Status.FINISHED

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen, so that the page need not poll."""
        return self.is_over or self.is_expired

    @cached_property
    def can_accept(self) -> bool:
        return self.is_pending and bool(self.viewer) and self.game.invites(self.viewer)

    @property
    def offers_seat(self) -> bool:
        """Whether a visitor may take the open seat by making a move, and become a guest."""
        return self.is_pending and not self.viewer and self.game.opponent is None

    @property
    def can_press(self) -> bool:
        """Whether the empty squares are buttons."""
        return self.can_move or self.offers_seat

    @property
    def may_log_in_to_accept(self) -> bool:
        return self.is_pending and not self.viewer and not is_guest(self.game.opponent)

    @cached_property
    def can_move(self) -> bool:
        my_turn = self.game.status is Status.IN_PROGRESS and bool(self.viewer) and self.game.whose_turn == self.viewer
        return (self.can_accept and self.mark == Mark.X) or (my_turn and self.is_player)

    @property
    def can_resign(self) -> bool:
        return self.game.status is Status.IN_PROGRESS and self.is_player

    @property
    def can_ask_again(self) -> bool:
        """Whether the viewer may ask for a rematch."""
        return self.is_over and self.is_player

    @property
    def hopes(self) -> bool:
        """Whether the opponent may still be on the page and ask for a rematch."""
        ended = self.game.since if self.can_ask_again and not self.game.computer else None
        return ended is not None and -SKEW < self.now - ended < STAYS

    @cached_property
    def is_asked(self) -> bool:
        """Whether the opponent, unless blocked, waits for the viewer to agree to a rematch."""
        if self.rematch is None or self.rematch.host in generations.blocked_by(self.viewer):
            return False
        return Rights(self.rematch, self.viewer, self.now).can_accept

    @property
    def waits(self) -> bool:
        """Whether somebody else acts next, so that the page should poll."""
        return not (self.is_final or self.can_move)

    @property
    def waits_for_a_player(self) -> bool:
        """Whether this is the viewer's own invitation to a name, which may not be claimed yet."""
        named = self.game.opponent is not None and not is_guest(self.game.opponent)
        return self.is_pending and self.is_host and named

    @property
    def mark(self) -> str:
        """The viewer's mark, or the one that an open invitation offers; empty for a spectator."""
        offered = self.offers_seat or (self.can_accept and self.game.opponent is None)
        mark = Mark.X if offered else self.game.mark_of(self.viewer)
        return mark.value if mark else ""

    @property
    def is_kept(self) -> bool:
        """Whether the game is kept for good: one with a guest is deleted after thirty days."""
        return not any(map(is_guest, self.game.players))
