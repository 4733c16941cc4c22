"""What the conditional writes of ``store`` are made of: the parts of their conditions, and of their updates."""

from datetime import datetime, timedelta
from functools import reduce
from operator import and_

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from accounts.names import is_guest
from games.match import NOBODYS_TURN, Ending, Match, Status, StoredMatch
from games.models import SQUARES, Game
from games.rules import EMPTY

GUEST_GAME_LIFETIME = timedelta(days=30)


def epoch(moment: datetime) -> int:
    return int(moment.timestamp())


# What a condition assumes.


def is_pending(now: datetime) -> Condition:
    """The invitation waits and is in time, which is compared because TTL may delete it days late."""
    in_time = Game.expires_at.does_not_exist() | (Game.expires_at > epoch(now))
    return Game.status_date.startswith(Status.PENDING) & in_time


def is_in_progress() -> Condition:
    return Game.status_date.startswith(Status.IN_PROGRESS)


def is_in_time(now: datetime) -> Condition:
    """The next move has no deadline, or one that has not passed."""
    return Game.deadline.does_not_exist() | (Game.deadline > epoch(now))


def is_free(now: datetime) -> Condition:
    """Nothing has this id, or an invitation that is out of date and waits for TTL to delete it."""
    expired = Game.status_date.startswith(Status.PENDING) & (Game.expires_at <= epoch(now))
    return Game.game_id.does_not_exist() | expired


def is_invited(player: str) -> Condition:
    is_open = Game.opponent_id.does_not_exist() & (Game.host_id != player)
    return (Game.opponent_id == player) | is_open


def holds(attribute: UnicodeAttribute | NumberAttribute, value: str | float | None) -> Condition:
    """The attribute has this value; None is that it is not there."""
    return attribute.does_not_exist() if value is None else attribute == value


def has_terms(shown: Match) -> Condition:
    """The host, the sides and the pace are those shown. Where an item does not say who plays O, the host does."""
    o_user = shown.o_user or shown.host
    sides = Game.o_user == o_user
    if o_user == shown.host:
        sides |= Game.o_user.does_not_exist()
    return (Game.host_id == shown.host) & sides & holds(Game.pace, shown.pace)


def board_is(board: str) -> Condition:
    squares = zip(SQUARES, board, strict=True)
    return reduce(and_, (holds(field, None if mark == EMPTY else mark) for field, mark in squares))


# What an update sets.


def acceptance(player: str, host: str | None, now: datetime) -> list[Action]:
    """Seat the player. A guest's game expires. The invitation has set the turn, unless it is open."""
    guests = is_guest(player) or is_guest(host)
    kept = Game.expires_at.set(epoch(now + GUEST_GAME_LIFETIME)) if guests else Game.expires_at.remove()
    return [Game.status_date.set(Status.IN_PROGRESS.dated(now)), Game.opponent_id.set(player), kept]


def marks(before: Match, after: Match) -> list[Action]:
    squares = zip(SQUARES, before.board, after.board, strict=True)
    marks: list[Action] = [field.set(mark) for field, old, mark in squares if old != mark]
    return marks if after.moves is None else [*marks, Game.recorded_moves.set(after.moves)]


def finish(result: str, now: datetime, ending: Ending | None = None) -> list[Action]:
    """Finish the game. ``result`` is the winner's name or ``Tie``; ``ending`` is why, where the board does not tell."""
    finished = Game.status_date.set(Status.FINISHED.dated(now))
    actions: list[Action] = [finished, Game.result.set(result), Game.turn.set(NOBODYS_TURN), Game.deadline.remove()]
    return [*actions, Game.ending.set(ending)] if ending else actions


def next_turn(match: Match, now: datetime) -> list[Action]:
    """Set whose turn it is, and until when; or, where the board is decided, finish the game."""
    if match.decided is not None:
        return finish(match.decided, now)
    turn = Game.turn.set(match.player_of(match.position.turn) or NOBODYS_TURN)
    return [turn, *clock(match.pace, now)]


def clock(pace: int | None, now: datetime) -> list[Action]:
    """Start the time for the next move."""
    return [Game.deadline.set(epoch(now) + pace)] if pace else []


def renaming(game: StoredMatch, guest: str, name: str) -> list[Action]:
    """Give the guest's seat in the game to the named player. Keep a game without guests."""
    attributes = (Game.host_id, Game.opponent_id, Game.o_user, Game.turn)
    holders = (game.host, game.opponent_id, game.o_user, game.turn)
    held = [attribute for attribute, holder in zip(attributes, holders, strict=True) if holder == guest]
    actions: list[Action] = [attribute.set(name) for attribute in held]
    if game.stored_status is Status.IN_PROGRESS and not is_guest(game.other_than(guest)):
        actions.append(Game.expires_at.remove())
    return actions
