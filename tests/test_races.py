"""Races with real threads, on DynamoDB Local alone: moto's conditional writes are not atomic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from games import store
from games.errors import LostRace, NotFound, NotYours
from games.models import Game, Status
from tests.conftest import stored

pytestmark = [
    pytest.mark.usefixtures("games_table"),
    pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True),
]

ROUNDS = 25
Contestant = Callable[[], object]


def contest(*contestants: Contestant) -> Counter[type]:
    """How many ended how: all start at once."""
    start = Barrier(len(contestants))

    def run(contestant: Contestant) -> type:
        start.wait()
        try:
            contestant()
        except (LostRace, NotFound, NotYours) as exc:
            return type(exc)
        return object

    with ThreadPoolExecutor(len(contestants)) as pool:
        return Counter(pool.map(run, contestants))


def accepted() -> Game:
    return store.accept(store.invite(host="alice", opponent="bob").game_id, player="bob")


def test_of_nine_squares_taken_at_once_one_is_played() -> None:
    for _ in range(ROUNDS):
        game = accepted()
        moves = [partial(store.move, game.snapshot, player="bob", square=square) for square in range(9)]
        assert contest(*moves) == {object: 1, LostRace: 8}
        assert stored(game.game_id).board.count("X") == 1


def test_one_of_six_takes_an_open_invitation() -> None:
    for _ in range(ROUNDS):
        game = store.invite(host="alice", opponent=None)
        players = [f"player-{number}" for number in range(6)]
        takers: list[Contestant] = [partial(store.accept, game.game_id, player=player) for player in players[:3]]
        takers += [partial(store.move, game.snapshot, player=player, square=4) for player in players[3:]]
        assert contest(*takers) == {object: 1, LostRace: 5}


def test_an_invitation_is_accepted_or_withdrawn_never_both() -> None:
    for _ in range(ROUNDS):
        game = store.invite(host="alice", opponent="bob")
        result = contest(
            partial(store.accept, game.game_id, player="bob"), partial(store.cancel, game.game_id, player="alice")
        )
        assert result[object] == 1
        if result[LostRace]:
            assert stored(game.game_id).status is Status.IN_PROGRESS
        else:
            assert result[NotFound] == 1
