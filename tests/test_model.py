"""Compare the store with a model of it: any players, games and squares, from positions of any age, in any order."""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from games import rules
from games.errors import NotFound
from games.match import Match, Status, StoredMatch
from games.models import Game
from games.storage import queries, store
from games.storage.conflicts import LostRace
from tests.support.model import Model, Refused, accepted, invited, moved, resigned, withdrawn

PLAYERS = ("alice", "bob", "charlie", "guest-aaaaaa")


@dataclass(frozen=True)
class Shown:
    """A game as it was at one time, in the model and in the store."""

    model: Model
    match: Match


@dataclass(frozen=True)
class Request:
    """A requested move."""

    number: int
    shown: Shown
    player: str
    square: int


KINDS = ("done", "finished", "repeated", "LostRace", "NotFound", "NotYours", "IllegalMove")


class Machine(RuleBasedStateMachine):
    told: ClassVar[Counter[str]]

    requests: Bundle[Request] = Bundle("requests")
    number = st.integers(0, 1)
    player = st.sampled_from(PLAYERS)
    square = st.integers(0, 8)
    age = st.integers(0, 9)
    invitation = st.tuples(player, st.sampled_from((None, *PLAYERS)))

    def __init__(self) -> None:
        super().__init__()
        self.ids = [str(uuid.uuid4()), str(uuid.uuid4())]
        self.models: dict[int, Model | None] = {0: None, 1: None}
        self.items: dict[int, StoredMatch] = {}
        self.shown: dict[int, list[Shown]] = {0: [], 1: []}

    @initialize(first=invitation, second=invitation)
    def begin(self, first: tuple[str, str | None], second: tuple[str, str | None]) -> None:
        self.invite(0, first)
        self.invite(1, second)

    @rule(number=number, invitation=invitation)
    def invite(self, number: int, invitation: tuple[str, str | None]) -> None:
        host, opponent = invitation
        if host == opponent:
            opponent = None
        self.same(
            number,
            lambda: invited(self.models[number], Model(host, opponent, by_link=opponent is None)),
            lambda: store.invite(host=host, opponent=opponent, game_id=self.ids[number]),
        )

    @rule(number=number, host=player)
    def challenge_computer(self, number: int, host: str) -> None:
        self.same(
            number,
            lambda: invited(self.models[number], Model(host, "computer", status="IN_PROGRESS")),
            lambda: store.challenge_computer(host=host, game_id=self.ids[number]),
        )

    @rule(number=number, player=player, host=st.sampled_from((None, *PLAYERS)))
    def accept(self, number: int, player: str, host: str | None) -> None:
        shown = shown_of(self.ids[number], host) if host else None
        self.same(
            number,
            lambda: accepted(self.models[number], player, host),
            lambda: store.accept(self.ids[number], player=player, shown=shown),
        )

    @rule(number=number, player=player, by_host=st.booleans())
    def withdraw(self, number: int, player: str, by_host: bool) -> None:
        act = store.cancel if by_host else store.decline
        self.same(
            number,
            lambda: withdrawn(self.models[number], player, by_host=by_host),
            lambda: act(self.ids[number], player=player),
        )

    @rule(number=number, age=age, player=player)
    def resign(self, number: int, age: int, player: str) -> None:
        """Resign as any player, from any page ever shown."""
        for shown in self.seen(number, age):
            self.same(
                number,
                lambda shown=shown: resigned(self.models[number], shown.model, player),  # type: ignore[misc]
                lambda shown=shown: store.resign(shown.match, player=player),  # type: ignore[misc]
            )

    @rule(number=number, invitation=invitation)
    def use_again(self, number: int, invitation: tuple[str, str | None]) -> None:
        """Cancel an invitation and reuse its id for another, while pages that show the first are still open."""
        now = self.models[number]
        self.withdraw(number, now.host if now else "alice", by_host=True)
        self.invite(number, invitation)

    @rule(target=requests, number=number, age=age, player=player, square=square)
    def move(self, number: int, age: int, player: str, square: int) -> MultipleResults[Request]:
        """Move as any player, to any square, from any position ever shown."""
        return multiple(*(self.ask(Request(number, shown, player, square)) for shown in self.seen(number, age)))

    @rule(target=requests, number=number, age=age, player=player, square=square)
    def move_late(self, number: int, age: int, player: str, square: int) -> MultipleResults[Request]:
        """Make a move that is legal in a position that may be old."""
        return multiple(*(self.ask(in_turn(number, shown, player, square)) for shown in self.seen(number, age)))

    @rule(target=requests, number=number, player=player, squares=st.lists(square, min_size=1, max_size=9))
    def play_on(self, number: int, player: str, squares: list[int]) -> MultipleResults[Request]:
        """Make several moves, each from the current position."""
        return multiple(*(self.ask(in_turn(number, self.seen(number, 0)[0], player, square)) for square in squares))

    @rule(request=requests)
    def repeat(self, request: Request) -> None:
        """Send a request again, whatever happened since."""
        self.ask(request)

    @rule(request=requests, player=player)
    def imitate(self, request: Request, player: str) -> None:
        """Make the same move as another player who saw the same position."""
        self.ask(replace(request, player=player))

    def seen(self, number: int, age: int) -> list[Shown]:
        """Return a list of the position shown ``age`` before the last, or of the oldest; empty if there is none."""
        return self.shown[number][-1 - age :][:1]

    def ask(self, request: Request) -> Request:
        number, shown = request.number, request.shown
        self.same(
            number,
            lambda: moved(self.models[number], shown.model, request.player, str(request.square)),
            lambda: store.move(shown.match, player=request.player, square=request.square),
        )
        return request

    def same(self, number: int, expected: Callable[[], Model | None], act: Callable[[], StoredMatch | None]) -> None:
        """Act in model and store; check that both agree, and that the store returns or raises the stored game."""
        before = self.models[number]
        try:
            after = expected()
        except Refused as exc:
            self.told[exc.error.__name__] += 1
            after = before
            game = refusal(act, exc.error)
        else:
            game = act()
            after = with_reply(after, game)
            finished = after is not None and after.status == "FINISHED"
            self.told["repeated" if after == before else "finished" if finished else "done"] += 1
        if game and after:
            assert_agrees(game, after)
            self.shown[number].append(Shown(after, game))
        self.models[number] = after
        self.compare(number, written=after != before)

    def compare(self, number: int, *, written: bool) -> None:
        """Check that the table agrees with the model, and that nothing was written if the model didn't change."""
        before = self.items.pop(number, None)
        model = self.models[number]
        if model is None:
            with pytest.raises(NotFound):
                queries.game(self.ids[number])
            return
        now = self.items[number] = queries.game(self.ids[number])
        assert_agrees(now, model)
        assert written or (before and before == now)

    def teardown(self) -> None:
        for game in self.items.values():
            Game(game.game_id).delete()


def in_turn(number: int, shown: Shown, player: str, square: int) -> Request:
    """Return a move to an empty square by the player to move; ``player`` takes an open invitation."""
    free = [place for place, mark in enumerate(shown.model.board) if mark == " "] or [square]
    turn = shown.model.turn if shown.model.turn in PLAYERS else player
    return Request(number, shown, turn or player, free[square % len(free)])


def shown_of(game_id: str, host: str) -> Match:
    return Match(game_id=game_id, host=host, stored_status=Status.PENDING, board=rules.EMPTY * 9, moves="")


def refusal(act: Callable[[], StoredMatch | None], error: type[Exception]) -> StoredMatch | None:
    """Check the refusal; return the game that comes with it, which only a lost race has."""
    with pytest.raises(error) as raised:
        act()
    assert raised.type is error
    return raised.value.game if isinstance(raised.value, LostRace) else None


def with_reply(model: Model | None, game: StoredMatch | None) -> Model | None:
    """Return the model with the computer's reply, if it owes one, on the square that the store chose."""
    if not (model and game and model.turn == "computer"):
        return model
    reply = str(game.moves)[len(model.moves) :]
    assert len(reply) == 1
    assert reply not in model.moves
    return model.played(model.moves + reply)


def assert_agrees(game: StoredMatch, model: Model) -> None:
    """Check every attribute against the model, and that the moves lead to its board by the game's own rules too."""
    assert (game.host, game.o_user, game.opponent) == (model.host, model.host, model.opponent)
    assert bool(game.by_link) is model.by_link
    assert (game.stored_status, game.turn, game.result) == (model.status, model.turn, model.result)
    assert game.ending == ("resigned" if model.resigned else None)
    assert (game.board, game.moves) == (model.board, model.moves)
    assert [*rules.replay(model.moves)][-1].board == model.board
    days = 7 if model.status == "PENDING" else 30
    against_computer = game.computer and model.status != "FINISHED"
    if days == 7 or against_computer or "guest-aaaaaa" in model.seats:
        assert days - 0.1 < (float(game.expires_at or 0) - datetime.now(UTC).timestamp()) / 86_400 <= days
    else:
        assert game.expires_at is None


@pytest.mark.usefixtures("games_table")
def test_store_agrees_with_model(request: pytest.FixtureRequest, full: bool, report: Callable[[str], None]) -> None:
    Machine.told = Counter()
    engine = request.node.callspec.params["engine"]
    scale = settings(
        max_examples=500 if full else 10 if engine == "moto" else 40,
        stateful_step_count=15,
        derandomize=not full,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(Machine, settings=scale)
    assert set(Machine.told) >= set(KINDS if full else ("done", "repeated", "LostRace"))
    counts = ", ".join(f"{kind} {Machine.told[kind]:,}" for kind in KINDS)
    report(f"model on {engine}: {Machine.told.total():,} acts ({counts})")
