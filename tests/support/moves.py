"""Two guests who play many games over HTTP at a steady pace.

Each move carries its signed position, so it costs one write and no read.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from games import rules
from games.match import Status
from games.models import Game
from tests.support.hops import Connection, read_message
from tests.support.loops import run_aside
from tests.support.many import game_of, put
from tests.support.pages import csrf_in
from tests.support.players import Player
from tests.support.streams import place

A_TIE = "021354678"
# The site's version of a running game without moves, as in a stream's event ids.
FIRST_VERSION = 10
DRIVERS = 16


class Made(NamedTuple):
    """A move: the resulting version, and when it was posted and acknowledged."""

    path: str
    version: str
    posted: float
    acknowledged: float


@dataclass
class Table:
    """Two guests and their many games. ``refused`` counts the answers to moves that weren't acknowledged."""

    web: str
    refused: Counter[str] = field(default_factory=Counter)
    host: Player = field(init=False)
    opponent: Player = field(init=False)

    def __post_init__(self) -> None:
        self.host, self.opponent = Player(self.web), Player(self.web)

    def set_up(self, count: int) -> list[str]:
        """Store that many running games, bypassing the site; return their paths."""
        ids = put(
            game_of(Status.IN_PROGRESS, second, self.host.name, self.opponent.name, turn=self.opponent.name)
            for second in range(count)
        )
        return [f"/games/{game_id}/" for game_id in ids]

    def play(self, paths: list[str], *, moves: int, pace: float) -> list[Made]:
        """Make ``moves`` moves in each game, one every ``pace`` seconds, with the games spread over that time."""
        return run_aside(lambda: self._play(paths, moves, pace))

    async def _play(self, paths: list[str], moves: int, pace: float) -> list[Made]:
        start = time.monotonic()
        due = {path: start + number * pace / len(paths) for number, path in enumerate(paths)}
        shares = [paths[number::DRIVERS] for number in range(DRIVERS)]
        found = await asyncio.gather(*(self._drive(share, due, moves, pace) for share in shares if share))
        return [made for each in found for made in each]

    async def _drive(self, share: list[str], due: dict[str, float], moves: int, pace: float) -> list[Made]:
        connection = await asyncio.open_connection(*place(self.web))
        positions: dict[str, str] = {}
        for path in share:
            positions[path] = (await self._ask(connection, "GET", path))["position"]
        made = []
        for number in range(moves):
            for path in share:
                await asyncio.sleep(due[path] + number * pace - time.monotonic())
                made.append(await self._move(connection, path, number, positions))
        connection[1].close()
        return made

    async def _move(self, connection: Connection, path: str, number: int, positions: dict[str, str]) -> Made:
        form = {"square": rules.SQUARES[int(A_TIE[number])], "position": positions[path]}
        posted = time.monotonic()
        while "moves" not in (state := await self._ask(connection, "POST", f"{path}move/", urlencode(form), number)):
            self.refused[str(state)] += 1  # on a 503, send again as a page does
            await asyncio.sleep(1)
        assert state["moves"] == A_TIE[: number + 1], state
        positions[path] = state["position"]
        return Made(path, str(FIRST_VERSION + number + 1), posted, time.monotonic())

    async def _ask(self, connection: Connection, method: str, path: str, form: str = "", number: int = 0) -> Any:
        cookies = (self.opponent if number % 2 == 0 else self.host).session.cookies
        headers = {
            "Host": urlsplit(self.web).netloc,
            "Accept": "application/json",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": csrf_in(cookies),
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(form)),
        }
        reader, writer = connection
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n{form}".encode())
        return json.loads((await read_message(reader)).partition(b"\r\n\r\n")[2])


def events_of(path: str) -> str:
    return f"{path}events/"


def truth(paths: Sequence[str]) -> dict[str, str]:
    """Return the stored version of each game by path."""
    ids = [path.split("/")[2] for path in paths]
    return {
        f"/games/{game.game_id}/": str(FIRST_VERSION + len(game.recorded_moves or "")) for game in Game.batch_get(ids)
    }
