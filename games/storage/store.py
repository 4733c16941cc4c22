"""The only writer of games: one function a transition, each one conditional write.

Every function returns the game as it then is. DynamoDB returns it for a write that landed, and for one whose condition
failed, so losing a race costs no read. Look in it for the change that was asked for: it is there, too, where botocore
sent a request again because the reply to the first was lost.

Raises, besides what each function says: NotFound, NotYours, LostRace, StoreUnavailable.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from accounts.names import GUEST_PREFIX, is_guest
from dynamodb import conditional
from dynamodb.conditional import ConditionFailed
from games.errors import IllegalMove, NotFound, NotYours
from games.match import Ending, Match, Status, against_computer
from games.models import SQUARE_FIELDS, Game
from games.rules import EMPTY, Mark, computer
from games.storage import conflicts, expressions
from games.storage.conflicts import LostRace, StillGood

INVITATION_LIFETIME = timedelta(days=7)

Shown = TypeVar("Shown", Match, Match | None)


def invite(*, host: str, opponent: str | None, pace: int | None = None, game_id: str | None = None) -> Game:
    """Create a pending game for ``opponent``, or for whoever takes it first where that is None.

    ``pace`` is how many seconds a move may take, once the game has begun. The same ``game_id`` again, from a form sent
    twice, is the same invitation.
    """
    seats = {"host_id": host, "opponent_id": opponent, "by_link": None if opponent else True}
    return _create(_invitation(game_id, datetime.now(UTC), **seats, o_user=host, turn=opponent, pace=pace))


def _invitation(game_id: str | None, now: datetime, **fields: Any) -> Game:
    return Game(
        game_id or str(uuid.uuid4()),
        status_date=Status.PENDING.dated(now),
        recorded_moves="",
        expires_at=expressions.epoch(now + INVITATION_LIFETIME),
        **fields,
    )


def challenge_computer(
    *,
    host: str,
    level: str = computer.PERFECT,
    host_begins: bool = False,
    square: int | None = None,
    game_id: str | None = None,
) -> Game:
    """Create a game against the computer, which has made the first move, as an invited player does, or the host does.

    ``square`` is the host's first move, and then the game is created with the computer's reply on it.
    """
    match = against_computer(game_id or str(uuid.uuid4()), host, level, host_begins=host_begins, square=square)
    now = datetime.now(UTC)
    game = Game(
        match.game_id,
        host_id=host,
        status_date=match.status.dated(now),
        o_user=match.o_user,
        turn=host,
        recorded_moves=match.moves,
        expires_at=expressions.epoch(now + expressions.GUEST_GAME_LIFETIME) if is_guest(host) else None,
        computer=level,
    )
    for field, mark in zip(SQUARE_FIELDS, match.board, strict=True):
        setattr(game, field, None if mark == EMPTY else mark)
    return _create(game)


def rematch(match: Match, *, player: str, game_id: str) -> Game:
    """Create another game between the two, with sides and first move exchanged, or accept the other's invitation to it.

    ``game_id`` is the same for both of them, so that two who ask at once make one game, and whoever asks again comes
    to it. The computer accepts at once. Raises IllegalMove where the game of ``match`` is not over, and LostRace,
    with the game that is there, where another than this has the id.
    """
    if player not in match.players:
        raise NotYours("This game was between two others: start one of your own.")
    if match.status is not Status.FINISHED:
        raise IllegalMove("This game is not over yet.")
    if match.computer:
        host_begins = match.mark_of(player) is Mark.O
        return challenge_computer(host=player, level=match.computer, host_begins=host_begins, game_id=game_id)
    now, seats = datetime.now(UTC), {"host_id": player, "opponent_id": match.other_than(player)}
    x, o = match.player_of(Mark.X), match.player_of(Mark.O)
    return _agree(_invitation(game_id, now, **seats, o_user=x, turn=o, pace=match.pace), now)


def _agree(asked: Game, now: datetime) -> Game:
    # Assumes that neither has asked yet, or so long ago that the invitation has expired.
    player = asked.host_id
    while True:
        stored = _put(asked, expressions.is_free(now))
        same = conflicts.still_between(stored.match, asked.match, player) and stored.pace == asked.pace
        awaits = conflicts.awaits(stored, player, now)
        # A name that a guest has claimed can't be told from a stranger's: nobody plays a stranger unseen.
        if not same or (awaits and stored.host_id != asked.opponent_id):
            raise LostRace("This rematch can't be had: start a new game.", stored)
        if not awaits:
            return stored
        with suppress(NotFound):  # The other has withdrawn it this moment: then the player is the one who asks.
            return accept(stored.game_id, player=player, shown=stored.match)


def _create(game: Game) -> Game:
    # Assumes that the id is new. If it is not, a form sent twice or a repeated request made this very game already;
    # a guessed id belongs to somebody else and stays theirs.
    stored = _put(game, Game.game_id.does_not_exist())
    # By the time of the repetition, somebody may have opened the link.
    same_seat = stored.opponent == game.opponent or (stored.by_link and game.by_link)
    if stored.host_id != game.host_id or not same_seat:
        raise LostRace("This invitation has been sent already: start another game.", stored)
    return stored


def accept(game_id: str, *, player: str, shown: Match | None = None) -> Game:
    """Begin the game of an invitation. The invited player moves first, but in every other rematch.

    The invitation must have the host, the sides and the pace of the one ``shown`` to the player. Without ``shown``, one
    that has a pace, or a guest's that a registered player accepts, costs a second write.
    """
    return _repeat(partial(_accept, game_id, player), shown)


def _accept(game_id: str, player: str, shown: Match | None, now: datetime) -> Game:
    # Assumes that the invitation is still pending and not out of date, and that it is for this player: by name, or
    # open and not their own. What ExpiresAt becomes depends on the host being a guest, and Deadline on the pace:
    # without knowing them, a registered player assumes that it is none, and that there is none.
    host, pace = (shown.host, shown.pace) if shown else (None, None)
    condition = expressions.is_pending(now) & expressions.is_invited(player)
    condition &= expressions.has_terms(shown) if shown else expressions.holds(Game.pace, None)
    if not shown and not is_guest(player):
        condition &= ~Game.host_id.startswith(GUEST_PREFIX)
    actions = expressions.acceptance(player, host, now)
    # An open invitation has no turn yet.
    turn = Game.turn.set(Game.turn | player)
    stored = _update(game_id, [*actions, turn, *expressions.clock(pace, now)], condition)
    if stored.opponent_id == player and stored.stored_status is Status.IN_PROGRESS:
        return stored
    if shown is None and conflicts.awaits(stored, player, now):
        raise StillGood(stored)
    raise conflicts.refusal(stored, player, now)


def decline(game_id: str, *, player: str) -> None:
    """Remove a pending invitation, as the invited player."""
    # Assumes that it is pending and names this player; an open invitation is nobody's to decline.
    _withdraw(game_id, player, Game.opponent_id == player)


def cancel(game_id: str, *, player: str) -> None:
    """Remove a pending invitation, as its host."""
    # Assumes that it is pending and this player's own.
    _withdraw(game_id, player, Game.host_id == player)


def move(match: Match, *, player: str, square: int) -> Game:
    """Take ``square`` in the position of ``match``, and make the computer's reply.

    Where the invitation is still pending, the invited player's first move accepts it. The move that ends the game
    finishes it. Raises IllegalMove where the match itself forbids the move.
    """
    return _repeat(partial(_move, player, square), match)


def _move(player: str, square: int, match: Match, now: datetime) -> Game:
    before = match.taken_by(player)
    own = before.played(player, square)
    stored = _write_move(before, own.replied(), player, now)
    if conflicts.holds_move(stored, player, own):
        return stored
    if before.status is Status.PENDING and not conflicts.holds_seat(stored, player):
        raise conflicts.refusal(stored, player, now)
    if stored.is_late(now):
        raise LostRace("The time for this move was up.", forfeit(stored, now))
    if stored.board == before.board and stored.turn == player and conflicts.goes_on(stored, before, player):
        raise StillGood(stored)
    raise LostRace("The game has moved on: this is how it stands now.", stored)


def _write_move(before: Match, after: Match, player: str, now: datetime) -> Game:
    # Assumes that the stored game still is this position: all nine squares, not the turn alone, which is the same
    # again two moves later. An invitation must still be open to this player, a game in progress and theirs to move,
    # and in time. The terms are compared as well: an id that was cancelled may have been used again.
    condition = expressions.board_is(before.board) & expressions.has_terms(before)
    actions = expressions.marks(before, after) + expressions.next_turn(after, now)
    if before.status is Status.PENDING:
        condition &= expressions.is_pending(now) & expressions.is_invited(player)
        actions += expressions.acceptance(player, before.host, now)
    else:
        condition &= expressions.is_in_progress() & expressions.holds(Game.opponent_id, before.opponent)
        condition &= Game.turn == player
        if before.pace:
            condition &= Game.deadline > expressions.epoch(now)
    return _update(before.game_id, actions, condition)


def resign(match: Match, *, player: str) -> Game:
    """Finish the game: the other has won, unless time was up before.

    Raises IllegalMove where the game has not begun, or is over.
    """
    return _repeat(partial(_resign, player), match)


def _resign(player: str, match: Match, now: datetime) -> Game:
    winner = match.resigned(player)
    # Assumes that it goes on between the same two, whatever was played meanwhile, and that nobody's time is up.
    condition = expressions.is_in_progress() & expressions.is_in_time(now)
    condition &= (Game.host_id == match.host) & expressions.holds(Game.opponent_id, match.opponent)
    stored = _update(match.game_id, expressions.finish(winner, now, Ending.RESIGNED), condition)
    if conflicts.has_resigned(stored, player):
        return stored
    if stored.is_late(now):
        return forfeit(stored, now)
    if conflicts.goes_on(stored, match, player):
        raise StillGood(stored)
    raise LostRace("The game was over already: this is how it ended.", stored)


def forfeit(game: Game, now: datetime) -> Game:
    """Finish a game that ``Game.is_late``: the player who was to move has lost.

    The result follows from the item alone, so anybody's request may ask for it. If another's move or request was
    faster, return what it made of the game.
    """
    # Assumes that it still waits for the same move.
    condition = expressions.is_in_progress() & (Game.turn == game.turn) & (Game.deadline == game.deadline)
    winner = game.match.other_than(game.turn or "") or ""
    return _update(game.game_id, expressions.finish(winner, now, Ending.LATE), condition)


def adopt(game: Game, *, guest: str, name: str) -> Game:
    """Give a guest's running game to the name that the guest has claimed; one against that name stays the guest's."""
    while guest in game.players and name not in game.players and game.status is not Status.FINISHED:
        # Assumes that nothing has happened in the game since it was read: the turn may have been the guest's.
        condition = expressions.holds(Game.turn, game.turn) & (Game.status_date == game.status_date)
        condition &= (Game.host_id == game.host_id) & expressions.holds(Game.opponent_id, game.opponent_id)
        game = _update(game.game_id, expressions.renaming(game, guest, name), condition)
    return game


def settle(game: Game, now: datetime) -> Game:
    """Finish a game that the AWS example left decided but not marked so, with the result that its board shows."""
    # Assumes that the board is the one the result was worked out from, and that nobody has settled it yet.
    condition = expressions.is_in_progress() & expressions.board_is(game.board)
    return _update(game.game_id, expressions.next_turn(game.match, now), condition)


def just_played(game: Game, *, player: str, square: int) -> bool:
    """Whether the player has just taken this square: then asking for it again is no mistake.

    The computer's reply came with the move, so against it the last move but one may be the player's.
    """
    moves, mark = game.moves or "", game.match.mark_of(player)
    latest = moves[0 if mark is Mark.X else 1 :: 2] if game.computer else moves
    return latest.endswith(str(square)) and game.board[square] == mark


def _withdraw(game_id: str, player: str, whose: Condition) -> None:
    try:
        conditional.delete(Game(game_id), Game.status_date.startswith(Status.PENDING) & whose)
    except ConditionFailed as exc:
        if exc.item is None and exc.retried:
            return  # The first try removed it, and its reply was lost.
        stored = conflicts.stored_in(exc)
        if player not in stored.players or stored.stored_status is Status.PENDING:
            raise NotYours("This invitation is not yours to withdraw.") from exc
        raise LostRace("This game has begun already, so its invitation can't be withdrawn.", stored) from exc


def _repeat(attempt: Callable[[Shown, datetime], Game], shown: Shown) -> Game:
    """Attempt a write from what the page shows; as long as it raises StillGood, attempt it from the stored game."""
    while True:
        try:
            return attempt(shown, datetime.now(UTC))
        except StillGood as exc:
            shown = exc.game.match


def _put(game: Game, condition: Condition) -> Game:
    """Return the game that has the id then: this one, or the one that was there before."""
    try:
        conditional.put(game, condition)
    except ConditionFailed as exc:
        return conflicts.stored_in(exc)
    return game


def _update(game_id: str, actions: list[Action], condition: Condition) -> Game:
    """Return the game as it then is, whether or not the condition held."""
    try:
        return Game.from_raw_data(conditional.update(Game(game_id), actions, condition))
    except ConditionFailed as exc:
        return conflicts.stored_in(exc)
