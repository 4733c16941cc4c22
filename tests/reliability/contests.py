"""Contestants who act on one game at the same moment: on the store, in processes and threads, or over HTTP."""

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from random import Random
from threading import Barrier, Thread
from time import monotonic
from typing import Any, Protocol, Self

from requests import Response

from dynamodb.client import warm_up
from games import rules
from games.errors import IllegalMove, NotFound, NotYours
from games.match import StoredMatch
from games.storage import store
from games.storage.conflicts import LostRace
from tests.support.players import Player
from tictactoe_site import config, table

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Act:
    """A player's action: ``move`` from the position they see, ``accept``, ``decline`` or ``cancel``.

    ``moves`` are the game's moves including this one; the last is the square.
    """

    verb: str
    player: str
    game_id: str
    position: Any = None
    moves: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A game as shown to a player. ``position`` is the basis of their moves: a match, or its signed form."""

    game_id: str
    status: str
    host: str
    opponent: str | None
    turn: str | None
    board: str
    moves: str
    result: str | None
    position: Any
    since: str | None = None

    @classmethod
    def stored(cls, game: StoredMatch) -> Self:
        facts = (game.game_id, game.stored_status.value, game.host, game.opponent, game.whose_turn, game.board)
        return cls(*facts, game.moves or "", game.result, game, game.status_date)

    @classmethod
    def answered(cls, data: Mapping[str, Any]) -> Self:
        players = (data["host"], data["opponent"], data["turn"])
        board = "".join(data["board"])
        return cls(data["gameId"], data["status"], *players, board, data["moves"], data["result"], data["position"])


@dataclass(frozen=True, slots=True)
class Told:
    """The outcome of an act: the game, or an error's name and the game if it was shown; and when the act ran."""

    error: str | None
    game: Seen | None
    began: float
    ended: float


class Arena(Protocol):
    """A place to play: ``contest`` starts all acts at once and returns their outcomes in order."""

    def invite(self, host: str, opponent: str | None) -> Seen: ...

    def contest(self, acts: Sequence[Act]) -> list[Told]: ...


def overlapped(told: Sequence[Told]) -> bool:
    """Whether all acts were running at some moment."""
    return max(answer.began for answer in told) < min(answer.ended for answer in told)


# The store, in processes and threads.


class Processes:
    """Several processes with several threads each; acts are assigned to threads at random."""

    def __init__(self, seats: Sequence[Connection], random: Random) -> None:
        self._seats = seats
        self._random = random

    def invite(self, host: str, opponent: str | None) -> Seen:
        return Seen.stored(store.invite(host=host, opponent=opponent))

    def contest(self, acts: Sequence[Act]) -> list[Told]:
        seats = self._random.sample(self._seats, len(acts))
        for seat, act in zip(seats, acts, strict=True):
            seat.send((act, len(acts)))
        return [self._heard(seat) for seat in seats]

    def _heard(self, seat: Connection) -> Told:
        assert seat.poll(PATIENCE_SECONDS), "A contestant does not answer."
        told = seat.recv()
        assert isinstance(told, Told)
        return told


@contextmanager
def processes(engine: str, count: int, threads: int) -> Iterator[Processes]:
    """Run ``count`` processes with ``threads`` contestants each, on the table at ``engine``."""
    context = multiprocessing.get_context("spawn")
    # One barrier per number of contestants.
    barriers = {size: context.Barrier(size) for size in range(1, count * threads + 1)}
    pipes = [context.Pipe() for _ in range(count * threads)]
    workers = []
    for number in range(count):
        theirs = [far for _, far in pipes[number::count]]
        workers.append(context.Process(target=_work, args=(engine, theirs, barriers), daemon=True))
        workers[-1].start()
        for far in theirs:
            far.close()
    seats = [near for near, _ in pipes]
    try:
        yield Processes(seats, Random(count * threads))
    finally:
        for seat in seats:
            seat.close()
        for worker in workers:
            worker.join(PATIENCE_SECONDS)
            worker.close()


def _work(engine: str, seats: Sequence[Connection], barriers: Mapping[int, Barrier]) -> None:
    # Be patient: a slow engine on a busy machine is not a finding.
    table.bind(config.for_endpoint(engine, environ={}), patient=True)
    warm_up()
    threads = [Thread(target=_sit, args=(seat, barriers)) for seat in seats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _sit(seat: Connection, barriers: Mapping[int, Barrier]) -> None:
    """Perform the acts received, until the other end closes."""
    with seat:
        while True:
            try:
                act, size = seat.recv()
            except EOFError:
                return
            barriers[size].wait(PATIENCE_SECONDS)
            seat.send(_tried(act))


def _tried(act: Act) -> Told:
    began = monotonic()
    error, shown = None, None
    try:
        game = _done(act)
        shown = Seen.stored(game) if game else None
    except LostRace as exc:
        error, shown = "LostRace", Seen.stored(exc.game)
    except (IllegalMove, NotFound, NotYours) as exc:
        error = type(exc).__name__
    except Exception as exc:  # Report anything else to the judge rather than killing the thread.
        error = repr(exc)
    return Told(error, shown, began, monotonic())


def _done(act: Act) -> StoredMatch | None:
    if act.verb == "move":
        return store.move(act.position, player=act.player, square=int(act.moves[-1]))
    game: StoredMatch | None = getattr(store, act.verb)(act.game_id, player=act.player)
    return game


# The site, over HTTP.

ERRORS = {200: None, 201: None, 403: "NotYours", 404: "NotFound", 409: "LostRace"}


class Browsers:
    """Logged-in players of the site who act in as many tabs as the contest needs."""

    def __init__(self, address: str, players: Sequence[str], tabs: ThreadPoolExecutor) -> None:
        self._tabs = tabs
        self._players = {name: Player(address, name=name) for name in players}

    def invite(self, host: str, opponent: str | None) -> Seen:
        return Seen.answered(self._posted(host, "/games/new/", {"opponent": opponent or ""}).json())

    def contest(self, acts: Sequence[Act]) -> list[Told]:
        start = Barrier(len(acts))
        return list(self._tabs.map(lambda act: self._tried(act, start), acts))

    def _tried(self, act: Act, start: Barrier) -> Told:
        form = {}
        if act.verb == "move":
            form = {"square": rules.SQUARES[int(act.moves[-1])], "position": act.position}
        start.wait(PATIENCE_SECONDS)
        began = monotonic()
        answer = self._posted(act.player, f"/games/{act.game_id}/{act.verb}/", form)
        ended, data = monotonic(), answer.json()
        game = Seen.answered(data) if "position" in data else None
        return Told(ERRORS.get(answer.status_code, f"{answer.status_code} {data}"), game, began, ended)

    def _posted(self, player: str, path: str, form: dict[str, str]) -> Response:
        # Use a new connection, so that any worker may accept it.
        answer = self._players[player].once("POST", path, form, headers={"Connection": "close"})
        assert answer is not None
        return answer
