"""What a failed condition means: a success whose reply was lost, a lost race, or a refusal. This reads nothing."""

from dataclasses import fields
from datetime import datetime

from accounts.names import is_guest
from dynamodb.conditional import ConditionFailed
from games.errors import GONE, NotFound, NotYours
from games.match import Ending, Match, Status, StoredMatch
from games.models import Game
from games.rules import EMPTY


class LostRace(Exception):
    """The write's condition failed because somebody was faster. ``game`` is the stored game."""

    def __init__(self, sentence: str, game: StoredMatch) -> None:
        super().__init__(sentence)
        self.game = game


class StillGood(Exception):
    """The write's condition failed, but the same write is still valid for ``game``, the stored game."""

    def __init__(self, game: StoredMatch) -> None:
        super().__init__()
        self.game = game


def stored_in(exc: ConditionFailed) -> StoredMatch:
    """Return the game that failed the condition. Raises NotFound, UnreadableGame."""
    if exc.item is None:
        raise NotFound(GONE) from exc
    return Game.from_raw_data(exc.item).match()


def still_between(now: Match, then: Match, player: str) -> bool:
    """Whether the player has the same mark and opponent in both. A guest opponent may have claimed a name meanwhile."""
    was, other = then.other_than(player), now.other_than(player)
    claimed = is_guest(was) and other is not None and not is_guest(other)
    same_mark = now.mark_of(player) is then.mark_of(player) is not None
    return same_mark and now.computer == then.computer and (other == was or claimed)


def holds_move(stored: StoredMatch, player: str, own: Match) -> bool:
    """Whether the game contains this move. A retry after a lost reply may come late, so more moves may follow it."""
    if not still_between(stored, own, player):
        return False
    if own.moves is not None and stored.moves is not None:
        return stored.moves.startswith(own.moves)
    # Without the order of play, compare squares: the player has these marks and no others, and no mark is missing.
    mark = own.mark_of(player)
    squares = list(zip(stored.board, own.board, strict=True))
    return all(mark_now == then for mark_now, then in squares if then != EMPTY or mark_now == mark)


def goes_on(stored: StoredMatch, before: Match, player: str) -> bool:
    """Whether the same two still play, but the page was older: since then, one moved in another tab or got a name."""
    is_other = any(getattr(stored, field.name) != getattr(before, field.name) for field in fields(Match))
    return stored.stored_status is Status.IN_PROGRESS and is_other and still_between(stored, before, player)


def has_resigned(stored: StoredMatch, player: str) -> bool:
    lost = stored.winner == stored.other_than(player)
    return player in stored.players and stored.ending == Ending.RESIGNED and lost


def awaits(stored: StoredMatch, player: str, now: datetime) -> bool:
    return stored.stored_status is Status.PENDING and stored.invites(player) and not stored.expired(now)


def refusal(stored: StoredMatch, player: str, now: datetime) -> NotYours | LostRace:
    if stored.host == player:
        return NotYours("This is your own invitation: it is for somebody else to accept.")
    if stored.computer:
        return NotYours(f"This game is between {stored.host} and the computer: you can watch it.", stored.host)
    if awaits(stored, player, now):
        return LostRace("This invitation has changed: this is how it stands now.", stored)
    if stored.opponent not in (None, player) and not stored.by_link:
        return NotYours(f"This invitation is for {stored.opponent}.", stored.opponent)
    if stored.stored_status is Status.PENDING and stored.expired(now):
        return LostRace(f"This invitation has expired: ask {stored.host} for a new one.", stored)
    if stored.opponent == player:
        return LostRace("This game is over.", stored)
    return LostRace("Somebody was faster and took this invitation: you can watch the game.", stored)
