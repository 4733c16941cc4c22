"""The parts of ``store``'s conditional writes: their conditions and their update actions."""

from datetime import datetime, timedelta
from functools import reduce
from operator import and_

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from accounts.names import is_guest
from dynamodb.items import absent
from games.match import NOBODYS_TURN, Ending, Match, Status, StoredMatch
from games.models import SQUARES, Game
from games.rules import EMPTY

# Of a game with a guest, and of an unfinished one against the computer.
GAME_LIFETIME = timedelta(days=30)


def epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def is_pending(now: datetime) -> Condition:
    """Whether the invitation is pending and in time."""
    return Game.status_date.startswith(Status.PENDING) & is_kept(now)


def is_kept(now: datetime) -> Condition:
    """Whether the game hasn't expired. TTL may delete it days late, so we compare ``ExpiresAt``."""
    kept: Condition = absent(Game.expires_at) | (Game.expires_at > epoch(now))
    return kept


def is_in_progress() -> Condition:
    return Game.status_date.startswith(Status.IN_PROGRESS)


def is_in_time(now: datetime) -> Condition:
    return absent(Game.deadline) | (Game.deadline > epoch(now))


def is_turn_of(player: str) -> Condition:
    """Whether it's stored as the player's turn. Without a turn, the board alone says whose it is."""
    return (Game.turn == player) | absent(Game.turn)


def is_unused() -> Condition:
    """Whether no game has the id; a declined invitation may have left its mark there."""
    unused: Condition = Game.game_id.does_not_exist() | Game.declined_by.exists()
    return unused


def is_free(now: datetime) -> Condition:
    """Whether the id ``is_unused``, or belongs to an expired invitation that TTL hasn't deleted yet."""
    expired = Game.status_date.startswith(Status.PENDING) & Game.expires_at.between(1, epoch(now))
    return is_unused() | expired


def is_invited(player: str) -> Condition:
    is_open = absent(Game.opponent_id) & (Game.host_id != player)
    return (Game.opponent_id == player) | is_open


def begins_right(player: str) -> Condition:
    """Whether X moves first if the player accepts the invitation; if it has no turn yet, that is the player."""
    as_x = (absent(Game.turn) | (Game.turn == player)) & (Game.o_user != player)
    return as_x | ((Game.turn == Game.host_id) & (Game.o_user == player))


def holds(attribute: UnicodeAttribute | NumberAttribute, value: str | float | None) -> Condition:
    """Whether the attribute has this value; for None, whether it's ``absent``."""
    return absent(attribute) if value is None else attribute == value


def has_terms(shown: Match) -> Condition:
    """Whether the host, sides and pace are the ones shown. If the item doesn't say who plays O, the host does."""
    o_user = shown.o_user or shown.host
    sides = Game.o_user == o_user
    if o_user == shown.host:
        sides |= absent(Game.o_user)
    return (Game.host_id == shown.host) & sides & holds(Game.pace, shown.pace)


def board_is(board: str) -> Condition:
    squares = zip(SQUARES, board, strict=True)
    return reduce(and_, (holds(field, None if mark == EMPTY else mark) for field, mark in squares))


def acceptance(player: str, host: str | None, now: datetime) -> list[Action]:
    """Seat the player. A game with a guest gets an expiry. The turn is set by the invitation, unless that is open."""
    guests = is_guest(player) or is_guest(host)
    kept = Game.expires_at.set(epoch(now + GAME_LIFETIME)) if guests else Game.expires_at.remove()
    return [Game.status_date.set(Status.IN_PROGRESS.dated(now)), Game.opponent_id.set(player), kept]


def declined(player: str, now: datetime) -> list[Action]:
    """Leave only who declined, for a day. Without the indexes' keys, that's in no list and no count."""
    rest = Game.get_attributes().keys() - {"game_id", "declined_by", "expires_at"}
    kept = Game.declined_by.set(player), Game.expires_at.set(epoch(now + timedelta(days=1)))
    return [*kept, *(getattr(Game, name).remove() for name in sorted(rest))]


def marks(before: Match, after: Match, now: datetime) -> list[Action]:
    squares = zip(SQUARES, before.board, after.board, strict=True)
    marks: list[Action] = [Game.moved_at.set(epoch(now))]
    marks += [field.set(mark) for field, old, mark in squares if old != mark]
    return marks if after.moves is None else [*marks, Game.recorded_moves.set(after.moves)]


def finish(match: Match, result: str, now: datetime, ending: Ending | None = None) -> list[Action]:
    """Finish the game, and keep it if it has no guest.

    ``result`` is the winner's name or ``Tie``; ``ending`` is the reason if the board shows none.
    """
    finished = Game.status_date.set(Status.FINISHED.dated(now))
    actions: list[Action] = [finished, Game.result.set(result), Game.turn.set(NOBODYS_TURN), Game.deadline.remove()]
    if not any(map(is_guest, match.players)):
        actions.append(Game.expires_at.remove())
    return [*actions, Game.ending.set(ending)] if ending else actions


def next_turn(match: Match, now: datetime) -> list[Action]:
    """Set the turn and its deadline, or finish the game if the board is decided."""
    if match.decided is not None:
        return finish(match, match.decided, now)
    turn = Game.turn.set(match.player_of(match.position.turn) or NOBODYS_TURN)
    return [turn, *clock(match.pace, now)]


def clock(pace: int | None, now: datetime) -> list[Action]:
    """Set the deadline for the next move, if the game has a pace (seconds)."""
    return [Game.deadline.set(epoch(now) + pace)] if pace else []


def renaming(game: StoredMatch, old: str, new: str) -> list[Action]:
    """Give the player another name. A game that has no guest any more is kept, as if it had never had one."""
    attributes = (Game.host_id, Game.opponent_id, Game.o_user, Game.turn, Game.result)
    holders = (game.host, game.opponent_id, game.o_user, game.turn, game.winner and game.stored_result)
    held = [attribute for attribute, holder in zip(attributes, holders, strict=True) if holder == old]
    actions: list[Action] = [attribute.set(new) for attribute in held]
    expires = game.stored_status is Status.PENDING or (game.computer and game.status is Status.IN_PROGRESS)
    if not expires and not any(map(is_guest, (new, game.other_than(old)))):
        actions.append(Game.expires_at.remove())
    return actions
