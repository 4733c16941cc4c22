"""The only writer of games: one function a transition, each one conditional write.

Every function returns the game as it then is. A condition that fails is answered by DynamoDB with the stored item, so
whoever loses a race gets the current game at no further cost. botocore repeats a request whose reply was lost; the
repetition finds the condition broken by the first try, which is recognised here and is the success it was.

Raises, besides what each function says: NotFound, NotYours, LostRace, StoreUnavailable.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import and_
from typing import NoReturn

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from accounts.names import GUEST_PREFIX, is_guest
from games import computer, rules, table
from games.errors import GONE, IllegalMove, LostRace, NotFound, NotYours
from games.models import NOBODYS_TURN, SQUARE_FIELDS, SQUARES, Game, Snapshot, Status, result_of
from games.rules import EMPTY, Mark, Position
from games.table import ConditionFailed

INVITATION_LIFETIME = timedelta(days=7)
GUEST_GAME_LIFETIME = timedelta(days=30)


def invite(*, host: str, opponent: str | None, game_id: str | None = None) -> Game:
    """A pending game for ``opponent``, or for whoever takes it first where that is None.

    The same ``game_id`` again, from a form sent twice, is the same invitation.
    """
    now = _now()
    game = Game(
        game_id or str(uuid.uuid4()),
        host_id=host,
        opponent_id=opponent,
        status_date=Status.PENDING.dated(now),
        o_user=host,
        turn=opponent,
        recorded_moves="",
        expires_at=_epoch(now + INVITATION_LIFETIME),
        by_link=None if opponent else True,
    )
    return _create(game)


def challenge_computer(*, host: str, game_id: str | None = None) -> Game:
    """A game against the computer, in which it has made the first move, as the invited player does."""
    now = _now()
    square = computer.reply(Position())
    game = Game(
        game_id or str(uuid.uuid4()),
        host_id=host,
        status_date=Status.IN_PROGRESS.dated(now),
        o_user=host,
        turn=host,
        recorded_moves=str(square),
        expires_at=_epoch(now + GUEST_GAME_LIFETIME) if is_guest(host) else None,
        computer=computer.PERFECT,
    )
    setattr(game, SQUARE_FIELDS[square], Mark.X.value)
    return _create(game)


def _create(game: Game) -> Game:
    # Assumes that the id is new. If it is not, a form sent twice or a repeated request made this very game already;
    # a guessed id belongs to somebody else and stays theirs.
    try:
        table.put(game, Game.game_id.does_not_exist())
    except ConditionFailed as exc:
        stored = _stored(exc)
        # By the time of the repetition, somebody may have opened the link.
        same_seat = stored.opponent == game.opponent or (stored.by_link and game.by_link)
        if stored.host_id != game.host_id or not same_seat:
            raise LostRace("This invitation has been sent already: start another game.", stored) from exc
        return stored
    return game


def accept(game_id: str, *, player: str, host: str | None = None) -> Game:
    """The invitation becomes a game in progress; the invited player has the first move.

    ``host``, where the player's page shows one, is whose invitation it must be, and tells whether the game is a
    guest's. Not knowing it costs nothing either, unless a
    registered player accepts a guest's invitation: that then takes a second write.
    """
    try:
        return _accept(game_id, player, host)
    except ConditionFailed as exc:
        stored = _stored(exc)
        if host is None and _awaits(stored, player):
            return accept(game_id, player=player, host=stored.host_id)
        if stored.opponent_id == player and stored.stored_status is Status.IN_PROGRESS:
            return stored
        _refuse_invitee(stored, player, exc)


def _accept(game_id: str, player: str, host: str | None) -> Game:
    # Assumes that the invitation is still pending and not out of date, and that it is for this player: by name, or
    # open and not their own. What ExpiresAt becomes depends on the host being a guest: without knowing the host, a
    # registered player assumes that it is none.
    now = _now()
    condition = _is_pending(now) & _is_invited(player)
    if host is not None:
        condition &= Game.host_id == host
    elif not is_guest(player):
        condition &= ~Game.host_id.startswith(GUEST_PREFIX)
    actions = _acceptance(player, now, guests_game=is_guest(player) or is_guest(host))
    return _update(game_id, [*actions, Game.turn.set(player)], condition)


def decline(game_id: str, *, player: str) -> None:
    """The invited player removes a pending invitation."""
    # Assumes that it is pending and names this player; an open invitation is nobody's to decline.
    _withdraw(game_id, player, Game.opponent_id == player)


def cancel(game_id: str, *, player: str) -> None:
    """The host removes a pending invitation."""
    # Assumes that it is pending and this player's own.
    _withdraw(game_id, player, Game.host_id == player)


def move(snapshot: Snapshot, *, player: str, square: int) -> Game:
    """The game after ``player`` takes ``square`` in the position of ``snapshot``, and the computer its reply.

    Where the invitation is still pending, the invited player's first move accepts it. The move that ends the game
    finishes it. Raises IllegalMove where the snapshot itself forbids the move.
    """
    before = _taken_by(snapshot, player) if _is_open(snapshot) and player != snapshot.host else snapshot
    own = _played(before, player, square)
    after = own
    if own.computer and result_of(own) is None:
        after = _after(own, computer.reply(own.position))
    try:
        return _write_move(before, after, player)
    except ConditionFailed as exc:
        stored = _stored(exc)
        if _holds_move(stored, player, own):
            return stored
        if before.status is Status.PENDING and _has_just_accepted(stored, before, player):
            return move(stored.snapshot, player=player, square=square)
        if before.status is Status.PENDING and not _holds_seat(stored, player):
            _refuse_invitee(stored, player, exc)
        raise LostRace("The game has moved on: this is how it stands now.", stored) from exc


def _write_move(before: Snapshot, after: Snapshot, player: str) -> Game:
    # Assumes that the stored game still is this position: all nine squares, not the turn alone, which is the same
    # again two moves later. An invitation must still be open to this player, a game in progress and theirs to move.
    now = _now()
    # The host is compared as well: an id that was cancelled may have been used again.
    condition = _board_is(before.board) & (Game.host_id == before.host)
    turn = Game.turn.set(after.player_of(after.position.turn) or NOBODYS_TURN)
    actions = _marks(before, after) + (_ending(after, now) or [turn])
    if before.status is Status.PENDING:
        condition &= _is_pending(now) & _is_invited(player)
        actions += _acceptance(player, now, guests_game=is_guest(player) or is_guest(before.host))
    else:
        condition &= _is_in_progress() & (Game.turn == player)
    return _update(before.game_id, actions, condition)


def settle(game: Game) -> Game:
    """A game that the AWS example left decided but not marked so: finished, with the result that its board shows."""
    # Assumes that the board is the one the result was worked out from, and that nobody has settled it yet.
    try:
        return _update(game.game_id, _ending(game.snapshot, _now()), _is_in_progress() & _board_is(game.board))
    except ConditionFailed as exc:
        return _stored(exc)


# What a condition assumes.


def _is_pending(now: datetime) -> Condition:
    """TTL may take days to delete what has expired, so the time is compared too."""
    in_time = Game.expires_at.does_not_exist() | (Game.expires_at > _epoch(now))
    pending: Condition = Game.status_date.startswith(Status.PENDING) & in_time
    return pending


def _is_in_progress() -> Condition:
    return Game.status_date.startswith(Status.IN_PROGRESS)


def _is_invited(player: str) -> Condition:
    is_open = Game.opponent_id.does_not_exist() & (Game.host_id != player)
    invited: Condition = (Game.opponent_id == player) | is_open
    return invited


def _board_is(board: str) -> Condition:
    squares = zip(SQUARES, board, strict=True)
    return reduce(and_, (field.does_not_exist() if mark == EMPTY else field == mark for field, mark in squares))


# What an update sets.


def _acceptance(player: str, now: datetime, *, guests_game: bool) -> list[Action]:
    kept = Game.expires_at.set(_epoch(now + GUEST_GAME_LIFETIME)) if guests_game else Game.expires_at.remove()
    return [Game.status_date.set(Status.IN_PROGRESS.dated(now)), Game.opponent_id.set(player), kept]


def _marks(before: Snapshot, after: Snapshot) -> list[Action]:
    squares = zip(SQUARES, before.board, after.board, strict=True)
    marks: list[Action] = [field.set(mark) for field, old, mark in squares if old != mark]
    return marks if after.moves is None else [*marks, Game.recorded_moves.set(after.moves)]


def _ending(snapshot: Snapshot, now: datetime) -> list[Action]:
    """What finishes a game whose board is decided; nothing for one that goes on."""
    result = result_of(snapshot)
    if result is None:
        return []
    finished = Game.status_date.set(Status.FINISHED.dated(now))
    return [finished, Game.result.set(result), Game.turn.set(NOBODYS_TURN)]


# The position before and after.


def _is_open(snapshot: Snapshot) -> bool:
    return snapshot.status is Status.PENDING and snapshot.opponent is None


def _taken_by(snapshot: Snapshot, player: str) -> Snapshot:
    return replace(snapshot, opponent=player)


def _played(snapshot: Snapshot, player: str, square: int) -> Snapshot:
    """The snapshot with the player's mark on the square. Raises NotYours, IllegalMove."""
    mark = snapshot.mark_of(player)
    if mark is None:
        raise NotYours("This game is between two others: you can watch it.")
    if snapshot.status is Status.FINISHED or result_of(snapshot):
        raise IllegalMove("This game is over.")
    if mark is not snapshot.position.turn:
        waiting = snapshot.status is Status.PENDING
        raise IllegalMove("Nobody has accepted this invitation yet." if waiting else "It is not your turn.")
    return _after(snapshot, square)


def _after(snapshot: Snapshot, square: int) -> Snapshot:
    moves = None if snapshot.moves is None else f"{snapshot.moves}{square}"
    return replace(snapshot, board=rules.play(snapshot.position, square).board, moves=moves)


# What a failed condition means.


def _stored(exc: ConditionFailed) -> Game:
    if exc.item is None:
        raise NotFound(GONE) from exc
    return Game.from_raw_data(exc.item)


def _holds_move(stored: Game, player: str, own: Snapshot) -> bool:
    """Whether this very move was made, however many came after it: a reply that was lost may be asked for late."""
    now = stored.snapshot
    if (now.host, now.opponent, now.computer) != (own.host, own.opponent, own.computer):
        return False
    if own.moves is not None and now.moves is not None:
        return now.moves.startswith(own.moves)
    # Without the order of play: the player has these marks and no others, and none was lost.
    mark = own.mark_of(player)
    squares = list(zip(now.board, own.board, strict=True))
    return all(mark_now == then for mark_now, then in squares if then != EMPTY or mark_now == mark)


def _has_just_accepted(stored: Game, before: Snapshot, player: str) -> bool:
    """Whether the player accepted in another tab, so that the move is as good in the game as in the invitation."""
    same = (stored.host_id, stored.board) == (before.host, before.board)
    return same and stored.stored_status is Status.IN_PROGRESS and stored.opponent_id == player


def _holds_seat(stored: Game, player: str) -> bool:
    return stored.opponent_id == player and stored.stored_status is not Status.PENDING


def just_played(game: Game, *, player: str, square: int) -> bool:
    """Whether the player has just taken this square: then asking for it again is no mistake.

    The computer's reply came with the move, so against it the last move but one may be the player's.
    """
    moves = game.moves or ""
    latest = moves[1::2] if game.computer else moves
    return latest.endswith(str(square)) and game.board[square] == game.snapshot.mark_of(player)


def _awaits(stored: Game, player: str) -> bool:
    return stored.stored_status is Status.PENDING and stored.invites(player) and not stored.expired(_now())


def _refuse_invitee(stored: Game, player: str, exc: ConditionFailed) -> NoReturn:
    if stored.host_id == player:
        raise NotYours("This is your own invitation: it is for somebody else to accept.") from exc
    if stored.computer:
        raise NotYours(f"This game is between {stored.host_id} and the computer: you can watch it.") from exc
    if _awaits(stored, player):
        raise LostRace("This invitation has changed: this is how it stands now.", stored) from exc
    if stored.opponent not in (None, player) and not stored.by_link:
        raise NotYours(f"This invitation is for {stored.opponent}.") from exc
    if stored.stored_status is Status.PENDING and stored.expired(_now()):
        raise LostRace(f"This invitation has expired: ask {stored.host_id} for a new one.", stored) from exc
    if stored.opponent == player:
        raise LostRace("This game is over.", stored) from exc
    raise LostRace("Somebody was faster and took this invitation: you can watch the game.", stored) from exc


def _withdraw(game_id: str, player: str, whose: Condition) -> None:
    try:
        table.delete(Game(game_id), Game.status_date.startswith(Status.PENDING) & whose)
    except ConditionFailed as exc:
        if exc.item is None and exc.retried:
            return  # The first try removed it, and its reply was lost.
        stored = _stored(exc)
        if player not in stored.players or stored.stored_status is Status.PENDING:
            raise NotYours("This invitation is not yours to withdraw.") from exc
        raise LostRace("This game has begun already, so its invitation can't be withdrawn.", stored) from exc


def _update(game_id: str, actions: list[Action], condition: Condition) -> Game:
    return Game.from_raw_data(table.update(Game(game_id), actions, condition))


def _now() -> datetime:
    return datetime.now(UTC)


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
