"""What a player sees of a game in a list, and what the viewer of a game may do."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.names import is_guest
from games.match import Entry, Status, StoredMatch
from games.rules import Mark

# How long somebody whose game is over is likely to look at it yet.
STAYS = timedelta(minutes=10)


@dataclass(frozen=True)
class Listed:
    """A game in a list, as ``viewer`` sees it; the viewer's name is empty where nobody is logged in."""

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
        """The one the viewer plays against; for a spectator the invited player."""
        return (self.game.host if self.is_opponent else self.game.opponent) or "somebody"

    @property
    def has_won(self) -> bool:
        return bool(self.viewer) and self.game.winner == self.viewer

    @property
    def result(self) -> str:
        """How a finished game ended for the viewer, in a word."""
        return "Tied" if self.game.is_tie else "Won" if self.has_won else "Lost"


@dataclass(frozen=True)
class Rights(Listed):
    """What the viewer may do at the time ``now``.

    ``rematch`` is the game that follows a finished one, where somebody has asked for it and it was looked for.
    """

    game: StoredMatch
    now: datetime
    rematch: StoredMatch | None = None

    @property
    def is_player(self) -> bool:
        return self.is_host or self.is_opponent

    @property
    def is_pending(self) -> bool:
        return self.game.status is Status.PENDING and not self.is_expired

    @property
    def is_expired(self) -> bool:
        return self.game.status is Status.PENDING and self.game.expired(self.now)

    @property
    def is_over(self) -> bool:
        return self.game.status is Status.FINISHED

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen, so that nobody need look again."""
        return self.is_over or self.is_expired

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
        """Whether the other may still be there, and ask for a rematch."""
        ended = self.game.since if self.can_ask_again and not self.game.computer else None
        return ended is not None and self.now - ended < STAYS

    @property
    def waits(self) -> bool:
        """Whether the next thing to happen is somebody else's doing, so that the page should look for it."""
        return not (self.is_final or self.can_move)

    @property
    def waits_for_a_player(self) -> bool:
        """Whether the viewer's own invitation is for a name that somebody has claimed or may claim."""
        named = self.game.opponent is not None and not is_guest(self.game.opponent)
        return self.is_pending and self.is_host and named

    @property
    def mark(self) -> str:
        """The viewer's mark, also one that an open invitation offers; nothing for a spectator."""
        offered = self.offers_seat or (self.can_accept and self.game.opponent is None)
        mark = Mark.X if offered else self.game.mark_of(self.viewer)
        return mark.value if mark else ""

    @property
    def is_kept(self) -> bool:
        """Whether the game outlives its guests' thirty days."""
        return not any(map(is_guest, self.game.players))

    @property
    def is_asked_again(self) -> bool:
        """Whether the other waits for the viewer to agree to a rematch."""
        return self.rematch is not None and Rights(self.rematch, self.viewer, self.now).can_accept
