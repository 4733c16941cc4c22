"""A model of the store: games and their transitions. It knows nothing of the store except its errors."""

from dataclasses import dataclass, replace
from typing import Self

from games.errors import IllegalMove, NotFound, NotYours
from games.storage.conflicts import LostRace

LINES = [set(line) for line in ("012", "345", "678", "036", "147", "258", "048", "246")]


@dataclass(frozen=True)
class Model:
    host: str
    opponent: str | None
    by_link: bool = False
    status: str = "PENDING"
    moves: str = ""
    resigned: str | None = None

    @property
    def seats(self) -> tuple[str | None, str]:
        return self.opponent, self.host

    @property
    def result(self) -> str | None:
        if self.resigned:
            return self.other_than(self.resigned)
        for player, squares in zip(self.seats, (self.moves[::2], self.moves[1::2]), strict=True):
            if any(line <= set(squares) for line in LINES):
                return player
        return "Tie" if len(self.moves) == 9 else None

    @property
    def turn(self) -> str | None:
        return "N/A" if self.status == "FINISHED" else self.seats[len(self.moves) % 2]

    @property
    def board(self) -> str:
        places = [self.moves.find(square) for square in "012345678"]
        return "".join(" " if place < 0 else "XO"[place % 2] for place in places)

    def other_than(self, player: str) -> str | None:
        return self.opponent if player == self.host else self.host

    def invites(self, player: str) -> bool:
        open_to = self.opponent is None and player != self.host
        return self.status == "PENDING" and (player == self.opponent or open_to)

    def accepted(self, player: str) -> Self:
        return replace(self, opponent=player, status="IN_PROGRESS")

    def played(self, moves: str) -> Self:
        after = replace(self, moves=moves)
        return replace(after, status="FINISHED") if after.result else after


class Refused(Exception):
    """Raised by the model with the error that the store should raise."""

    def __init__(self, error: type[Exception]) -> None:
        super().__init__(error.__name__)
        self.error = error


def invited(now: Model | None, new: Model) -> Model:
    """Return the game after an invitation. A used id is refused unless for the same invitation, even if accepted."""
    if now is None:
        return new
    same_seat = now.opponent == new.opponent or (now.by_link and new.by_link)
    if now.host != new.host or not same_seat:
        raise Refused(LostRace)
    return now


def accepted(now: Model | None, player: str, host: str | None) -> Model:
    """Return the game after an accept. ``host`` is the host of the invitation on the player's page, if it shows one."""
    if now is None:
        raise Refused(NotFound)
    if now.invites(player) and host in (None, now.host):
        return now.accepted(player)
    if now.status == "IN_PROGRESS" and now.opponent == player:
        return now
    raise Refused(too_late(now, player))


def too_late(now: Model, player: str) -> type[Exception]:
    """Return the error for a seat that's gone: NotYours if the player could never have had it, else LostRace."""
    for_another = not now.by_link and now.opponent not in (None, player)
    return NotYours if player == now.host or for_another else LostRace


def withdrawn(now: Model | None, player: str, *, by_host: bool) -> None:
    if now is None:
        raise Refused(NotFound)
    if now.status != "PENDING" and player in now.seats:
        raise Refused(LostRace)
    if now.status != "PENDING" or player != (now.host if by_host else now.opponent):
        raise Refused(NotYours)


def moved(now: Model | None, then: Model, player: str, square: str) -> Model:
    """Return the game after a move from the position ``then``, without the computer's reply."""
    seen = then.accepted(player) if then.invites(player) else then
    if player not in seen.seats:
        raise Refused(NotYours)
    if seen.turn != player or square in seen.moves:
        raise Refused(IllegalMove)
    if now is None:
        raise Refused(NotFound)
    if now.invites(player) and now.host == then.host:
        return now.accepted(player).played(square)
    if same_place(now, seen, player) and now.status == "IN_PROGRESS" and now.moves == seen.moves:
        return now.played(now.moves + square)
    if same_place(now, seen, player) and now.moves.startswith(seen.moves + square):
        return now
    seated = now.status != "PENDING" and now.opponent == player
    raise Refused(LostRace if then.status != "PENDING" or seated else too_late(now, player))


def same_place(now: Model, then: Model, player: str) -> bool:
    """Whether the player has the same seat and opponent, who may have been a guest and signed up since."""
    was, other = then.other_than(player), now.other_than(player) or ""
    claimed = str(was).startswith("guest-") and not other.startswith("guest-")
    return player in now.seats and now.seats.index(player) == then.seats.index(player) and (was == other or claimed)


def resigned(now: Model | None, then: Model, player: str) -> Model:
    """Return the game after a player resigned on a page that showed ``then``."""
    if player not in then.seats:
        raise Refused(NotYours)
    if then.status != "IN_PROGRESS":
        raise Refused(IllegalMove)
    if now is None:
        raise Refused(NotFound)
    if now.status == "IN_PROGRESS" and now.seats == then.seats:
        return replace(now, status="FINISHED", resigned=player)
    if now.resigned and now.result == then.other_than(player):
        return now
    raise Refused(LostRace)
