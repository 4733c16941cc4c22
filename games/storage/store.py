"""The only writer of games: one function a transition, each one conditional write.

Every function returns the game as it then is. A condition that fails is answered by DynamoDB with the stored item, so
whoever loses a race gets the current game at no further cost. botocore repeats a request whose reply was lost; the
repetition finds the condition broken by the first try, which is recognised here and is the success it was.

Raises, besides what each function says: NotFound, NotYours, LostRace, StoreUnavailable.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta

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
from games.storage.conflicts import LostRace

INVITATION_LIFETIME = timedelta(days=7)


def invite(*, host: str, opponent: str | None, pace: int | None = None, game_id: str | None = None) -> Game:
    """A pending game for ``opponent``, or for whoever takes it first where that is None.

    ``pace`` is how many seconds a move may take, once the game has begun. The same ``game_id`` again, from a form sent
    twice, is the same invitation.
    """
    game = _invitation(game_id, host=host, opponent=opponent, o_user=host, turn=opponent, pace=pace)
    game.by_link = None if opponent else True
    return _create(game)


def _invitation(
    game_id: str | None, *, host: str, opponent: str | None, o_user: str | None, turn: str | None, pace: int | None
) -> Game:
    now = _now()
    return Game(
        game_id or str(uuid.uuid4()),
        host_id=host,
        opponent_id=opponent,
        status_date=Status.PENDING.dated(now),
        o_user=o_user,
        turn=turn,
        recorded_moves="",
        expires_at=expressions.epoch(now + INVITATION_LIFETIME),
        pace=pace,
    )


def challenge_computer(
    *,
    host: str,
    level: str = computer.PERFECT,
    host_begins: bool = False,
    square: int | None = None,
    game_id: str | None = None,
) -> Game:
    """A game against the computer, in which it has made the first move, as an invited player does, or the host does.

    ``square`` is the host's first move, and then the game is created with the computer's reply on it.
    """
    match = against_computer(game_id or str(uuid.uuid4()), host, level, host_begins=host_begins, square=square)
    now = _now()
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
    """Another game between the two, with sides and first move exchanged: an invitation, or the other's, accepted.

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
    other, x, o = match.other_than(player), match.player_of(Mark.X), match.player_of(Mark.O)
    return _agreed(_invitation(game_id, host=player, opponent=other, o_user=x, turn=o, pace=match.pace))


def _agreed(asked: Game) -> Game:
    # Assumes that neither has asked yet, or so long ago that the invitation has expired.
    try:
        conditional.put(asked, expressions.is_free(_now()))
    except ConditionFailed as exc:
        stored, player = conflicts.stored_in(exc), asked.host_id
        same = conflicts.still_between(stored.match, asked.match, player) and stored.pace == asked.pace
        # A name that a guest has claimed can't be told from a stranger's: nobody plays a stranger unseen.
        if not same or (conflicts.awaits(stored, player) and stored.host_id != asked.opponent_id):
            raise LostRace("This rematch can't be had: start a new game.", stored) from exc
        if not conflicts.awaits(stored, player):
            return stored
        with suppress(NotFound):  # The other has withdrawn it this moment: then the player is the one who asks.
            return _accept_as_stored(stored, player)
        return _agreed(asked)
    return asked


def _create(game: Game) -> Game:
    # Assumes that the id is new. If it is not, a form sent twice or a repeated request made this very game already;
    # a guessed id belongs to somebody else and stays theirs.
    try:
        conditional.put(game, Game.game_id.does_not_exist())
    except ConditionFailed as exc:
        stored = conflicts.stored_in(exc)
        # By the time of the repetition, somebody may have opened the link.
        same_seat = stored.opponent == game.opponent or (stored.by_link and game.by_link)
        if stored.host_id != game.host_id or not same_seat:
            raise LostRace("This invitation has been sent already: start another game.", stored) from exc
        return stored
    return game


def accept(
    game_id: str, *, player: str, host: str | None = None, o_user: str | None = None, pace: int | None = None
) -> Game:
    """The invitation becomes a game in progress; its first move is the invited player's, but in every other rematch.

    ``host``, ``o_user`` and ``pace``, where the player's page shows them, are those that the invitation must have; an
    ``o_user`` that the page does not tell is the host. Not knowing them costs nothing either, unless it has a pace, or
    a registered player accepts a guest's: then a second write.
    """
    try:
        return _accept(game_id, player, host, o_user, pace)
    except ConditionFailed as exc:
        stored = conflicts.stored_in(exc)
        if host is None and conflicts.awaits(stored, player):
            return _accept_as_stored(stored, player)
        if stored.opponent_id == player and stored.stored_status is Status.IN_PROGRESS:
            return stored
        conflicts.refuse_invitee(stored, player, exc)


def _accept_as_stored(stored: Game, player: str) -> Game:
    now = stored.match
    return accept(now.game_id, player=player, host=now.host, o_user=now.o_user, pace=now.pace)


def _accept(game_id: str, player: str, host: str | None, o_user: str | None, pace: int | None) -> Game:
    # Assumes that the invitation is still pending and not out of date, and that it is for this player: by name, or
    # open and not their own. What ExpiresAt becomes depends on the host being a guest, and Deadline on the pace:
    # without knowing them, a registered player assumes that it is none, and that there is none.
    now = _now()
    condition = expressions.is_pending(now) & expressions.is_invited(player) & expressions.holds(Game.pace, pace)
    if host is not None:
        condition &= (Game.host_id == host) & expressions.plays_o(o_user or host, host)
    elif not is_guest(player):
        condition &= ~Game.host_id.startswith(GUEST_PREFIX)
    actions = expressions.acceptance(player, now, guests_game=is_guest(player) or is_guest(host))
    # An open invitation has no turn yet.
    turn = Game.turn.set(Game.turn | player)
    return _update(game_id, [*actions, turn, *expressions.clock(pace, now)], condition)


def decline(game_id: str, *, player: str) -> None:
    """The invited player removes a pending invitation."""
    # Assumes that it is pending and names this player; an open invitation is nobody's to decline.
    _withdraw(game_id, player, Game.opponent_id == player)


def cancel(game_id: str, *, player: str) -> None:
    """The host removes a pending invitation."""
    # Assumes that it is pending and this player's own.
    _withdraw(game_id, player, Game.host_id == player)


def move(match: Match, *, player: str, square: int) -> Game:
    """The game after ``player`` takes ``square`` in the position of ``match``, and the computer its reply.

    Where the invitation is still pending, the invited player's first move accepts it. The move that ends the game
    finishes it. Raises IllegalMove where the match itself forbids the move.
    """
    before = match.taken_by(player)
    own = before.played(player, square)
    after = own.replied()
    try:
        return _write_move(before, after, player)
    except ConditionFailed as exc:
        stored = conflicts.stored_in(exc)
        if conflicts.holds_move(stored, player, own):
            return stored
        if before.status is Status.PENDING and not conflicts.holds_seat(stored, player):
            conflicts.refuse_invitee(stored, player, exc)
        if stored.is_late(_now()):
            raise LostRace("The time for this move was up.", forfeit(stored)) from exc
        if conflicts.stands_the_same(stored, before, player):
            return move(stored.match, player=player, square=square)
        raise LostRace("The game has moved on: this is how it stands now.", stored) from exc


def _write_move(before: Match, after: Match, player: str) -> Game:
    # Assumes that the stored game still is this position: all nine squares, not the turn alone, which is the same
    # again two moves later. An invitation must still be open to this player, a game in progress and theirs to move,
    # and in time.
    now = _now()
    # Host, sides and pace are compared as well: an id that was cancelled may have been used again.
    condition = (
        expressions.board_is(before.board) & (Game.host_id == before.host) & expressions.holds(Game.pace, before.pace)
    )
    condition &= expressions.plays_o(before.o_user or before.host, before.host)
    actions = expressions.marks(before, after) + expressions.next_turn(after, now)
    if before.status is Status.PENDING:
        condition &= expressions.is_pending(now) & expressions.is_invited(player)
        actions += expressions.acceptance(player, now, guests_game=is_guest(player) or is_guest(before.host))
    else:
        condition &= (
            expressions.is_in_progress() & expressions.holds(Game.opponent_id, before.opponent) & (Game.turn == player)
        )
        if before.pace:
            condition &= Game.deadline > expressions.epoch(now)
    return _update(before.game_id, actions, condition)


def resign(match: Match, *, player: str) -> Game:
    """The other has won, unless time was up before. Raises IllegalMove where the game has not begun, or is over."""
    winner = match.resigned(player)
    # Assumes that it goes on between the same two, whatever was played meanwhile, and that nobody's time is up.
    now = _now()
    condition = expressions.is_in_progress() & expressions.is_in_time(now)
    condition &= (Game.host_id == match.host) & expressions.holds(Game.opponent_id, match.opponent)
    try:
        return _update(match.game_id, expressions.finish(winner, now, Ending.RESIGNED), condition)
    except ConditionFailed as exc:
        stored = conflicts.stored_in(exc)
        if conflicts.has_resigned(stored, player):
            return stored
        if stored.is_late(_now()):
            return forfeit(stored)
        if conflicts.goes_on(stored, match, player):
            return resign(stored.match, player=player)
        raise LostRace("The game was over already: this is how it ended.", stored) from exc


def forfeit(game: Game) -> Game:
    """A game in which the time of whoever is to move is up (``Game.is_late``): finished, and the other has won.

    Whoever looks at it may ask for this: the result follows from the item alone. Another's move, or request, that was
    faster is the answer.
    """
    # Assumes that it still waits for the same move.
    condition = expressions.is_in_progress() & (Game.turn == game.turn) & (Game.deadline == game.deadline)
    winner = game.match.other_than(game.turn or "") or ""
    try:
        return _update(game.game_id, expressions.finish(winner, _now(), Ending.LATE), condition)
    except ConditionFailed as exc:
        return conflicts.stored_in(exc)


def adopt(game: Game, *, guest: str, name: str) -> Game:
    """A guest's running game goes to the name that the guest has claimed; one against that name stays the guest's."""
    while guest in game.players and name not in game.players and game.status is not Status.FINISHED:
        # Assumes that nothing has happened in the game since it was read: the turn may have been the guest's.
        condition = expressions.holds(Game.turn, game.turn) & (Game.status_date == game.status_date)
        condition &= (Game.host_id == game.host_id) & expressions.holds(Game.opponent_id, game.opponent_id)
        try:
            return _update(game.game_id, expressions.renaming(game, guest, name), condition)
        except ConditionFailed as exc:
            game = conflicts.stored_in(exc)
    return game


def settle(game: Game) -> Game:
    """A game that the AWS example left decided but not marked so: finished, with the result that its board shows."""
    # Assumes that the board is the one the result was worked out from, and that nobody has settled it yet.
    try:
        actions = expressions.next_turn(game.match, _now())
        return _update(game.game_id, actions, expressions.is_in_progress() & expressions.board_is(game.board))
    except ConditionFailed as exc:
        return conflicts.stored_in(exc)


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


def _update(game_id: str, actions: list[Action], condition: Condition) -> Game:
    return Game.from_raw_data(conditional.update(Game(game_id), actions, condition))


def _now() -> datetime:
    return datetime.now(UTC)
