"""Races between real processes and threads, on DynamoDB Local only: moto's conditional writes aren't atomic."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from games.match import StoredMatch
from games.storage import store
from tests.conftest import stored
from tests.reliability.contests import Act, Arena, Browsers, Processes, Seen, processes
from tests.reliability.referee import Kind, Referee
from tests.support.sites import configured_for, serving

pytestmark = [
    pytest.mark.usefixtures("games_table"),
    pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True),
]

ROUNDS = 25
PROCESSES, THREADS = 3, 3
WORKERS = 4
CASTS = [("alice", "bob", "charlie"), ("guest-aaaaaa", "bob", "guest-cccccc"), ("alice", "guest-bbbbbb", "charlie")]
Report = Callable[[str], None]


@pytest.fixture(scope="module")
def arena(engine: str) -> Iterator[Processes]:
    with processes(engine, PROCESSES, THREADS) as arena:
        yield arena


def moving(game: StoredMatch, player: str, square: int) -> Act:
    return Act("move", player, game.game_id, game, f"{game.moves}{square}")


def outcomes(arena: Arena, acts: list[Act]) -> Counter[str | None]:
    """Count the outcomes of the acts by error; None is success."""
    return Counter(answer.error for answer in arena.contest(acts))


def contested(arena: Arena, positions: int, casts: list[tuple[str, str, str]]) -> Referee:
    """Play games until that many positions were contested; check that every kind occurred and either act won some."""
    random = Random(positions)
    referee = Referee(arena, random)
    while referee.total < positions:
        referee.play(*random.choice(casts))
    assert set(referee.counted) == set(Kind)
    assert set(referee.first_won) == {True, False}
    return referee


def test_every_contest_in_store_has_one_winner(arena: Arena, full: bool, report: Report) -> None:
    began = time.monotonic()
    referee = contested(arena, 10_000 if full else 1_000, CASTS)
    seconds = time.monotonic() - began
    report(f"races: {referee.figures}; {PROCESSES} processes x {THREADS} threads; one winner each; {seconds:.0f} s")


@pytest.mark.process
def test_every_contest_over_http_has_one_winner(engine: str, tmp_path: Path, full: bool, report: Report) -> None:
    log = tmp_path / "access.log"
    # Log only the process that answered.
    options = ["--workers", str(WORKERS), "--access-logfile", str(log), "--access-logformat", "%(p)s"]
    began = time.monotonic()
    with serving(*options, CONFIG_FILE=configured_for(engine, tmp_path)) as address, ThreadPoolExecutor(4) as tabs:
        referee = contested(Browsers(address, CASTS[0], tabs), 1_000 if full else 150, CASTS[:1])
    answered = Counter(log.read_text().split())
    assert len(answered) == WORKERS
    shares = ", ".join(f"{count:,}" for count in answered.values())
    seconds = time.monotonic() - began
    report(f"races over HTTP: {referee.figures}; {WORKERS} workers answered {shares} requests; {seconds:.0f} s")


def test_one_of_nine_simultaneous_moves_wins(arena: Arena) -> None:
    for _ in range(ROUNDS):
        game = store.accept(store.invite(host="alice", opponent="bob").game_id, player="bob")
        assert outcomes(arena, [moving(game, "bob", square) for square in range(9)]) == {None: 1, "LostRace": 8}
        assert stored(game.game_id).match().board.count("X") == 1


def test_one_of_six_simultaneous_accepts_wins(arena: Arena) -> None:
    for _ in range(ROUNDS):
        game = store.invite(host="alice", opponent=None)
        takers = [Act("accept", f"player-{number}", game.game_id) for number in range(3)]
        takers += [moving(game, f"player-{number}", 4) for number in range(3, 6)]
        assert outcomes(arena, takers) == {None: 1, "LostRace": 5}


def test_computer_replies_to_one_of_two_simultaneous_moves(arena: Arena) -> None:
    for _ in range(ROUNDS):
        game = store.challenge_computer(host="alice")
        first, second = game.position.empty_squares[:2]
        acts = [moving(game, "alice", square) for square in (first, first, second, second)]
        assert outcomes(arena, acts) == {None: 2, "LostRace": 2}
        assert len(Seen.stored(stored(game.game_id).match()).moves) == 3
