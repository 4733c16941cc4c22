"""What a failed condition means: a success whose reply was lost, a lost race, or a refusal.

DynamoDB answers a failed condition with the item as it is (``dynamodb.conditional``), so telling costs no read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from accounts.names import is_guest
from dynamodb.conditional import ConditionFailed
from games.errors import GONE, NotFound, NotYours
from games.match import Ending, Match, Status
from games.models import Game
from games.rules import EMPTY


class LostRace(Exception):
    """The write's condition did not hold: somebody was faster. ``game`` is the game as it is now."""

    def __init__(self, sentence: str, game: Game) -> None:
        super().__init__(sentence)
        self.game = game


def stored_in(exc: ConditionFailed) -> Game:
    if exc.item is None:
        raise NotFound(GONE) from exc
    return Game.from_raw_data(exc.item)


def still_between(now: Match, then: Match, player: str) -> bool:
    """Whether the player has the same mark against the same other, who may have been a guest and have a name now."""
    was, other = then.other_than(player), now.other_than(player)
    claimed = is_guest(was) and other is not None and not is_guest(other)
    same_mark = now.mark_of(player) is then.mark_of(player) is not None
    return same_mark and now.computer == then.computer and (other == was or claimed)


def holds_move(stored: Game, player: str, own: Match) -> bool:
    """Whether this very move was made, however many came after it: a reply that was lost may be asked for late."""
    now = stored.match
    if not still_between(now, own, player):
        return False
    if own.moves is not None and now.moves is not None:
        return now.moves.startswith(own.moves)
    # Without the order of play: the player has these marks and no others, and none was lost.
    mark = own.mark_of(player)
    squares = list(zip(now.board, own.board, strict=True))
    return all(mark_now == then for mark_now, then in squares if then != EMPTY or mark_now == mark)


def stands_the_same(stored: Game, before: Match, player: str) -> bool:
    """Whether the move is as good in the game as it now is.

    The player accepted in another tab, or the other is a guest who has claimed a name.
    """
    same = stored.board == before.board and stored.stored_status is Status.IN_PROGRESS and stored.turn == player
    return same and stored.match != before and still_between(stored.match, before, player)


def goes_on(stored: Game, before: Match, player: str) -> bool:
    """Whether the game that was shown is still played, and the other is a guest who has claimed a name."""
    now = stored.match
    return now.status is Status.IN_PROGRESS and now.players != before.players and still_between(now, before, player)


def has_resigned(stored: Game, player: str) -> bool:
    other = stored.match.other_than(player)
    return player in stored.players and (stored.ending, stored.result) == (Ending.RESIGNED, other)


def holds_seat(stored: Game, player: str) -> bool:
    return stored.opponent_id == player and stored.stored_status is not Status.PENDING


def awaits(stored: Game, player: str) -> bool:
    return stored.stored_status is Status.PENDING and stored.invites(player) and not stored.expired(datetime.now(UTC))


def refuse_invitee(stored: Game, player: str, exc: ConditionFailed) -> NoReturn:
    if stored.host_id == player:
        raise NotYours("This is your own invitation: it is for somebody else to accept.") from exc
    if stored.computer:
        raise NotYours(f"This game is between {stored.host_id} and the computer: you can watch it.") from exc
    if awaits(stored, player):
        raise LostRace("This invitation has changed: this is how it stands now.", stored) from exc
    if stored.opponent not in (None, player) and not stored.by_link:
        raise NotYours(f"This invitation is for {stored.opponent}.") from exc
    if stored.stored_status is Status.PENDING and stored.expired(datetime.now(UTC)):
        raise LostRace(f"This invitation has expired: ask {stored.host_id} for a new one.", stored) from exc
    if stored.opponent == player:
        raise LostRace("This game is over.", stored) from exc
    raise LostRace("Somebody was faster and took this invitation: you can watch the game.", stored) from exc
