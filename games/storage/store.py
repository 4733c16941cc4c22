"""The only writer of games: one function a transition, each one conditional write.

Every function returns the game as it then is. DynamoDB returns it for a write that landed, and for one whose condition
failed, so losing a race costs no read. Look in it for the change that was asked for: it is there, too, where botocore
sent a request again because the reply to the first was lost.

Raises, besides what each function says: NotFound, NotYours, LostRace, StoreUnavailable.
"""

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
from games.match import Ending, Match, Status, StoredMatch
from games.models import Game, item_of
from games.rules import EMPTY, Mark, computer
from games.storage import conflicts, expressions
from games.storage.conflicts import LostRace, StillGood

INVITATION_LIFETIME = timedelta(days=7)

Shown = TypeVar("Shown", Match, Match | None)


def invite(*, host: str, opponent: str | None, pace: int | None = None, game_id: str | None = None) -> StoredMatch:
    """Create a pending game for ``opponent``, or for whoever takes it first where that is None.

    ``pace`` is how many seconds a move may take, once the game has begun. The same ``game_id`` again, from a form sent
    twice, is the same invitation.
    """
    terms = {"o_user": host, "turn": opponent, "pace": pace, "by_link": None if opponent else True}
    return _create(_new(game_id, Status.PENDING, datetime.now(UTC), host=host, opponent_id=opponent, **terms))


def challenge_computer(
    *,
    host: str,
    level: str = computer.PERFECT,
    host_begins: bool = False,
    square: int | None = None,
    game_id: str | None = None,
) -> StoredMatch:
    """Create a game against the computer, which has made the first move, as an invited player does, or the host does.

    ``square`` is the host's first move, and then the game is created with the computer's reply on it.
    """
    o_user = computer.NAME if host_begins or square is not None else host
    terms = {"computer": level, "o_user": o_user, "turn": host}
    return _create(_new(game_id, Status.IN_PROGRESS, datetime.now(UTC), host=host, **terms).opened(square))


def _new(game_id: str | None, status: Status, now: datetime, host: str, **terms: Any) -> StoredMatch:
    began = expressions.GUEST_GAME_LIFETIME if is_guest(host) else None
    lifetime = INVITATION_LIFETIME if status is Status.PENDING else began
    return StoredMatch(
        game_id=game_id or str(uuid.uuid4()),
        stored_status=status,
        status_date=status.dated(now),
        host=host,
        board=EMPTY * 9,
        moves="",
        expires_at=expressions.epoch(now + lifetime) if lifetime else None,
        **terms,
    )


def rematch(match: Match, *, player: str, game_id: str) -> StoredMatch:
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
    now, x, o = datetime.now(UTC), match.player_of(Mark.X), match.player_of(Mark.O)
    terms = {"opponent_id": match.other_than(player), "o_user": x, "turn": o, "pace": match.pace}
    return _agree(_new(game_id, Status.PENDING, now, host=player, **terms), now)


def _agree(asked: StoredMatch, now: datetime) -> StoredMatch:
    # Assumes that neither has asked yet, or so long ago that the invitation has expired.
    player = asked.host
    while True:
        stored = _put(asked, expressions.is_free(now))
        same = conflicts.still_between(stored, asked, player) and stored.pace == asked.pace
        awaits = conflicts.awaits(stored, player, now)
        # A name that a guest has claimed can't be told from a stranger's: nobody plays a stranger unseen.
        if not same or (awaits and stored.host != asked.opponent_id):
            raise LostRace("This rematch can't be had: start a new game.", stored)
        if not awaits:
            return stored
        with suppress(NotFound):  # The other has withdrawn it this moment: then the player is the one who asks.
            return accept(stored.game_id, player=player, shown=stored)


def _create(game: StoredMatch) -> StoredMatch:
    # Assumes that the id is new. If it is not, a form sent twice or a repeated request made this very game already;
    # a guessed id belongs to somebody else and stays theirs.
    stored = _put(game, Game.game_id.does_not_exist())
    # By the time of the repetition, somebody may have opened the link.
    same_seat = stored.opponent == game.opponent or (stored.by_link and game.by_link)
    if stored.host != game.host or not same_seat:
        raise LostRace("This invitation has been sent already: start another game.", stored)
    return stored


def accept(game_id: str, *, player: str, shown: Match | None = None) -> StoredMatch:
    """Begin the game of an invitation. The invited player moves first, but in every other rematch.

    The invitation must have the host, the sides and the pace of the one ``shown`` to the player. Without ``shown``, one
    that has a pace, or a guest's that a registered player accepts, costs a second write.
    """
    return _repeat(partial(_accept, game_id, player), shown)


def _accept(game_id: str, player: str, shown: Match | None, now: datetime) -> StoredMatch:
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


def move(match: Match, *, player: str, square: int) -> StoredMatch:
    """Take ``square`` in the position of ``match``, and make the computer's reply.

    Where the invitation is still pending, the invited player's first move accepts it. The move that ends the game
    finishes it. Raises IllegalMove where the match itself forbids the move.
    """
    return _repeat(partial(_move, player, square), match)


def _move(player: str, square: int, match: Match, now: datetime) -> StoredMatch:
    before = match.taken_by(player)
    own = before.played(player, square)
    stored = _write_move(before, own.replied(), player, now)
    if conflicts.holds_move(stored, player, own):
        return stored
    if before.stored_status is Status.PENDING and not conflicts.holds_seat(stored, player):
        raise conflicts.refusal(stored, player, now)
    if stored.is_late(now):
        raise LostRace("The time for this move was up.", forfeit(stored, now))
    if stored.board == before.board and stored.turn == player and conflicts.goes_on(stored, before, player):
        raise StillGood(stored)
    raise LostRace("The game has moved on: this is how it stands now.", stored)


def _write_move(before: Match, after: Match, player: str, now: datetime) -> StoredMatch:
    # Assumes that the stored game still is this position: all nine squares, not the turn alone, which is the same
    # again two moves later. An invitation must still be open to this player, a game in progress and theirs to move,
    # and in time. The terms are compared as well: an id that was cancelled may have been used again.
    condition = expressions.board_is(before.board) & expressions.has_terms(before)
    actions = expressions.marks(before, after) + expressions.next_turn(after, now)
    if before.stored_status is Status.PENDING:
        condition &= expressions.is_pending(now) & expressions.is_invited(player)
        actions += expressions.acceptance(player, before.host, now)
    else:
        condition &= expressions.is_in_progress() & expressions.holds(Game.opponent_id, before.opponent_id)
        condition &= Game.turn == player
        if before.pace:
            condition &= Game.deadline > expressions.epoch(now)
    return _update(before.game_id, actions, condition)


def resign(match: Match, *, player: str) -> StoredMatch:
    """Finish the game: the other has won, unless time was up before.

    Raises IllegalMove where the game has not begun, or is over.
    """
    return _repeat(partial(_resign, player), match)


def _resign(player: str, match: Match, now: datetime) -> StoredMatch:
    winner = match.resigned(player)
    # Assumes that it goes on between the same two, whatever was played meanwhile, and that nobody's time is up.
    condition = expressions.is_in_progress() & expressions.is_in_time(now)
    condition &= (Game.host_id == match.host) & expressions.holds(Game.opponent_id, match.opponent_id)
    stored = _update(match.game_id, expressions.finish(winner, now, Ending.RESIGNED), condition)
    if conflicts.has_resigned(stored, player):
        return stored
    if stored.is_late(now):
        return forfeit(stored, now)
    if conflicts.goes_on(stored, match, player):
        raise StillGood(stored)
    raise LostRace("The game was over already: this is how it ended.", stored)


def forfeit(game: StoredMatch, now: datetime) -> StoredMatch:
    """Finish a game that ``is_late``: the player who was to move has lost.

    The result follows from the item alone, so anybody's request may ask for it. If another's move or request was
    faster, return what it made of the game.
    """
    # Assumes that it still waits for the same move.
    condition = expressions.is_in_progress() & (Game.turn == game.turn) & (Game.deadline == game.deadline)
    winner = game.other_than(game.turn or "") or ""
    return _update(game.game_id, expressions.finish(winner, now, Ending.LATE), condition)


def adopt(game: StoredMatch, *, guest: str, name: str) -> StoredMatch:
    """Give a guest's running game to the name that the guest has claimed; one against that name stays the guest's."""
    while guest in game.players and name not in game.players and game.status is not Status.FINISHED:
        # Assumes that nothing has happened in the game since it was read: the turn may have been the guest's.
        condition = expressions.holds(Game.turn, game.turn) & (Game.status_date == game.status_date)
        condition &= (Game.host_id == game.host) & expressions.holds(Game.opponent_id, game.opponent_id)
        game = _update(game.game_id, expressions.renaming(game, guest, name), condition)
    return game


def settle(game: StoredMatch, now: datetime) -> StoredMatch:
    """Finish a game that the AWS example left decided but not marked so, with the result that its board shows."""
    # Assumes that the board is the one the result was worked out from, and that nobody has settled it yet.
    condition = expressions.is_in_progress() & expressions.board_is(game.board)
    return _update(game.game_id, expressions.next_turn(game, now), condition)


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


def _repeat(attempt: Callable[[Shown, datetime], StoredMatch], shown: Shown) -> StoredMatch:
    """Attempt a write from what the page shows; as long as it raises StillGood, attempt it from the stored game."""
    while True:
        try:
            return attempt(shown, datetime.now(UTC))
        except StillGood as exc:
            shown = exc.game


def _put(new: StoredMatch, condition: Condition) -> StoredMatch:
    """Return the game that has the id then: this one, or the one that was there before."""
    try:
        conditional.put(item_of(new), condition)
    except ConditionFailed as exc:
        return conflicts.stored_in(exc)
    return new


def _update(game_id: str, actions: list[Action], condition: Condition) -> StoredMatch:
    """Return the game as it then is, whether or not the condition held."""
    try:
        return Game.from_raw_data(conditional.update(Game(game_id), actions, condition)).match()
    except ConditionFailed as exc:
        return conflicts.stored_in(exc)
