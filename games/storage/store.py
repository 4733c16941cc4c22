"""The only writer of games: one function per transition, each a single conditional write.

All but ``decline`` and ``cancel`` return the resulting game. DynamoDB returns it after a write, and also if the
condition fails, so losing a race costs no read. If a reply is lost, botocore sends the request again, and the second
try fails its condition because the first one succeeded. So look for the requested change in the returned game.

Besides what each function says, it raises NotFound, NotYours, LostRace, StoreUnavailable.
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
    """Create a pending game for ``opponent``, or an open one for the first player to take it if that is None.

    ``pace`` is the seconds per move, once the game has begun. A form that is sent twice has the same ``game_id``, and
    creates one invitation.
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
    score: str | None = None,
) -> StoredMatch:
    """Create a game against the computer. It moves first, as an invited player does, unless the host begins.

    ``square`` is the host's first move; the game is then created with that move and the computer's reply. ``score`` is
    that of the earlier games, in a rematch.
    """
    o_user = computer.NAME if host_begins or square is not None else host
    terms = {"computer": level, "o_user": o_user, "turn": host, "score": score}
    return _create(_new(game_id, Status.IN_PROGRESS, datetime.now(UTC), host=host, **terms).opened(square))


def _new(game_id: str | None, status: Status, now: datetime, host: str, **terms: Any) -> StoredMatch:
    lifetime = INVITATION_LIFETIME if status is Status.PENDING else expressions.GAME_LIFETIME
    return StoredMatch(
        game_id=game_id or str(uuid.uuid4()),
        stored_status=status,
        status_date=status.dated(now),
        host=host,
        board=EMPTY * 9,
        moves="",
        expires_at=expressions.epoch(now + lifetime),
        moved_at=None if status is Status.PENDING else expressions.epoch(now),
        **terms,
    )


def rematch(match: Match, *, player: str, game_id: str) -> StoredMatch:
    """Create another game between the two with sides and first move swapped, or accept the other's invitation to it.

    It gets the series' score from ``match``, which must be the whole game or a position signed once it was over.
    ``game_id`` is the same for both players: if both ask at once they make one game, and asking again returns it. The
    computer accepts at once. Raises IllegalMove if the game of ``match`` isn't over, and LostRace, with the stored
    game, if the id belongs to another game.
    """
    if player not in match.players:
        raise NotYours("This game was between two others: start one of your own.")
    if match.status is not Status.FINISHED:
        raise IllegalMove("This game is not over yet.")
    x, o, score = match.player_of(Mark.X), match.player_of(Mark.O), match.score_for(player)
    if match.computer:
        begins = player == o
        return challenge_computer(host=player, level=match.computer, host_begins=begins, game_id=game_id, score=score)
    terms = {"opponent_id": match.other_than(player), "o_user": x, "turn": o, "pace": match.pace, "score": score}
    return _agree(_new(game_id, Status.PENDING, now := datetime.now(UTC), host=player, **terms), now)


def _agree(asked: StoredMatch, now: datetime) -> StoredMatch:
    # Assumes that neither has asked yet, or that their invitation has expired.
    player = asked.host
    while True:
        stored = _put(asked, expressions.is_free(now))
        same = conflicts.still_between(stored, asked, player) and stored.pace == asked.pace
        awaits = conflicts.awaits(stored, player, now)
        # A guest's new name looks like a stranger's here, and nobody should start a game with a stranger by surprise.
        if not same or (awaits and stored.host != asked.opponent_id):
            raise LostRace("That rematch isn't available any more. Start a new game.", stored)
        if not awaits:
            return stored
        with suppress(NotFound):  # The other has just withdrawn it, so this player is now the one who asks.
            return accept(stored.game_id, player=player, shown=stored)


def _create(game: StoredMatch) -> StoredMatch:
    # Assumes that the id is new. If it isn't, a form sent twice or a retry has made this very game already, or somebody
    # guessed the id of another's game, which stays as it is.
    stored = _put(game, expressions.is_unused())
    # By the time of the second try, somebody may have joined by the link.
    same_seat = stored.opponent == game.opponent or (stored.by_link and game.by_link)
    if stored.host != game.host or not same_seat:
        raise LostRace("This invitation has been sent already: start another game.", stored)
    return stored


def accept(game_id: str, *, player: str, shown: Match | None = None) -> StoredMatch:
    """Begin the game of an invitation. The invited player moves first, except in every other rematch.

    The invitation must have the host, sides and pace of the one ``shown`` to the player. Without ``shown``, it costs a
    second write if it has a pace, or if a registered player accepts a guest's invitation.
    """
    return _repeat(partial(_accept, game_id, player), shown)


def _accept(game_id: str, player: str, shown: Match | None, now: datetime) -> StoredMatch:
    # Assumes that the invitation is pending, hasn't expired, and is for this player: by name, or open and not their
    # own. ExpiresAt depends on whether the host is a guest, Deadline on the pace, and Turn on the sides. Without
    # ``shown`` we know none of them, so the condition assumes no pace, the right turn and, if the player is registered,
    # a registered host.
    condition = expressions.is_pending(now) & expressions.is_invited(player)
    actions = expressions.acceptance(player, shown.host if shown else None, now)
    actions.append(Game.moved_at.set(expressions.epoch(now)))
    if shown:
        condition &= expressions.has_terms(shown)
        actions += expressions.next_turn(shown.taken_by(player), now)
    else:
        condition &= expressions.holds(Game.pace, None) & expressions.begins_right(player)
        if not is_guest(player):
            condition &= ~Game.host_id.startswith(GUEST_PREFIX)
        actions.append(Game.turn.set(Game.turn | player))  # An open invitation has no turn yet.
    stored = _update(game_id, actions, condition)
    if stored.opponent_id == player and stored.stored_status is Status.IN_PROGRESS:
        return stored
    if shown is None and conflicts.awaits(stored, player, now):
        raise StillGood(stored)
    raise conflicts.refusal(stored, player, now)


def decline(game_id: str, *, player: str) -> None:
    """Remove a pending invitation, as the invited player. Its address says so for a day, to the host who looks."""
    # Assumes that it is pending and names this player. Nobody can decline an open invitation.
    actions = expressions.declined(player, datetime.now(UTC))
    _withdraw(game_id, player, Game.opponent_id == player, partial(conditional.update, actions=actions))


def cancel(game_id: str, *, player: str) -> None:
    """Remove a pending invitation, as its host."""
    # Assumes that it is pending and this player is its host.
    _withdraw(game_id, player, Game.host_id == player, conditional.delete)


def move(match: Match, *, player: str, square: int) -> StoredMatch:
    """Take ``square`` in the position of ``match``, and make the computer's reply.

    If the invitation is still pending, the invited player's first move accepts it. The last move finishes the game.
    Raises IllegalMove if the match itself forbids the move.
    """
    return _repeat(partial(_move, player, square), match)


def _move(player: str, square: int, match: Match, now: datetime) -> StoredMatch:
    before = match.taken_by(player)
    own = before.played(player, square)
    stored = _write_move(before, own.replied(), player, now)
    if conflicts.holds_move(stored, player, own):
        return stored
    is_seated = stored.opponent_id == player and stored.stored_status is not Status.PENDING
    if before.stored_status is Status.PENDING and not is_seated:
        raise conflicts.refusal(stored, player, now)
    if stored.is_late(now):
        raise LostRace("The time for this move was up.", forfeit(stored, now))
    if stored.board == before.board and stored.whose_turn == player and conflicts.goes_on(stored, before, player):
        raise StillGood(stored)
    raise LostRace("The game has moved on: this is how it stands now.", stored)


def _write_move(before: Match, after: Match, player: str, now: datetime) -> StoredMatch:
    # Assumes that the stored game still has this position. We compare all nine squares, because the turn is the same
    # again two moves later. An invitation must still be open to this player; a game in progress must be theirs to move,
    # and in time. We compare the terms too, because the id of a cancelled invitation may be used again.
    condition = expressions.board_is(before.board) & expressions.has_terms(before)
    actions = expressions.marks(before, after, now) + expressions.next_turn(after, now)
    if before.stored_status is Status.PENDING:
        condition &= expressions.is_pending(now) & expressions.is_invited(player)
        actions += expressions.acceptance(player, before.host, now)
    else:
        condition &= expressions.is_in_progress() & expressions.holds(Game.opponent_id, before.opponent_id)
        condition &= expressions.is_turn_of(player) & expressions.is_in_time(now)
    return _update(before.game_id, actions, condition)


def resign(match: Match, *, player: str) -> StoredMatch:
    """Finish the game: the opponent wins, unless time was up. Raises IllegalMove if it hasn't begun, or is over."""
    return _repeat(partial(_resign, player), match)


def _resign(player: str, match: Match, now: datetime) -> StoredMatch:
    winner = match.resigned(player)
    # Assumes that the same two are still playing, whatever the board, and that the player to move has time left.
    condition = expressions.is_in_progress() & expressions.is_in_time(now)
    condition &= (Game.host_id == match.host) & expressions.holds(Game.opponent_id, match.opponent_id)
    stored = _update(match.game_id, expressions.finish(match, winner, now, Ending.RESIGNED), condition)
    if conflicts.has_resigned(stored, player):
        return stored
    if stored.is_late(now):
        return forfeit(stored, now)
    if conflicts.goes_on(stored, match, player):
        raise StillGood(stored)
    raise LostRace("The game was over already: this is how it ended.", stored)


def forfeit(game: StoredMatch, now: datetime) -> StoredMatch:
    """Finish a game that ``is_late``: the player to move has lost.

    The result follows from the item alone, so anybody's request may write it. If another move or request was faster,
    return the game it left.
    """
    # Assumes that the game still waits for the same move.
    condition = expressions.is_in_progress() & expressions.holds(Game.turn, game.turn)
    condition &= Game.deadline == game.deadline
    winner = game.other_than(game.whose_turn or "") or ""
    return _update(game.game_id, expressions.finish(game, winner, now, Ending.LATE), condition)


def rename(game: StoredMatch, *, old: str, new: str) -> StoredMatch:
    """Give a player of the game another name, unless the two play each other."""
    while old in game.players and new not in game.players:
        # Assumes that the game hasn't changed since it was read: the turn may have been this player's.
        condition = expressions.holds(Game.turn, game.turn) & (Game.status_date == game.status_date)
        condition &= (Game.host_id == game.host) & expressions.holds(Game.opponent_id, game.opponent_id)
        condition &= expressions.holds(Game.result, game.stored_result)
        game = _update(game.game_id, expressions.renaming(game, old, new), condition)
    return game


def settle(game: StoredMatch, now: datetime) -> StoredMatch:
    """Store the result that the board shows, where another program stored none or another one."""
    # Assumes that the board still is the one that gave the result, and that nobody has settled the game yet.
    condition = (Game.status_date == game.status_date) & expressions.board_is(game.board)
    condition &= expressions.holds(Game.result, game.stored_result)
    corrected: list[Action] = [Game.result.set(str(game.result))]
    is_dated = game.stored_status is Status.FINISHED
    return _update(game.game_id, corrected if is_dated else expressions.next_turn(game, now), condition)


def _withdraw(game_id: str, player: str, whose: Condition, write: Callable[..., object]) -> None:
    try:
        write(Game(game_id), condition=Game.status_date.startswith(Status.PENDING) & whose)
    except ConditionFailed as exc:
        if exc.retried and (exc.item is None or exc.item.get("DeclinedBy") == {"S": player}):
            return  # The first try removed it, but its reply was lost.
        stored = conflicts.stored_in(exc)
        if player not in stored.players or stored.stored_status is Status.PENDING:
            raise NotYours("You can't do that here: this invitation is between two others.") from exc
        raise LostRace("This game has begun already, so its invitation can't be withdrawn.", stored) from exc


def _repeat(attempt: Callable[[Shown, datetime], StoredMatch], shown: Shown) -> StoredMatch:
    """Try a write from what the page shows. After each StillGood, try again from the stored game."""
    while True:
        try:
            return attempt(shown, datetime.now(UTC))
        except StillGood as exc:
            shown = exc.game


def _put(new: StoredMatch, condition: Condition) -> StoredMatch:
    """Write the game if the condition holds. Return the game stored under its id: this one, or the earlier one."""
    try:
        conditional.put(item_of(new), condition)
    except ConditionFailed as exc:
        return conflicts.stored_in(exc)
    return new


def _update(game_id: str, actions: list[Action], condition: Condition) -> StoredMatch:
    """Update the game if the condition holds, and return the stored game either way."""
    try:
        return Game.from_raw_data(conditional.update(Game(game_id), actions, condition)).match()
    except ConditionFailed as exc:
        return conflicts.stored_in(exc)
