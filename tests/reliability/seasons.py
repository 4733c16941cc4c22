"""Play many games at once over HTTP, sending each move until it is acknowledged, and record what was."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests

from games import rules
from games.match import TIE, Status
from games.models import Game
from tests.support.players import Player

DRIVERS = 16


@dataclass
class Season:
    """Concurrent games between guests, with the acknowledged moves of each and the status codes that players got."""

    site: str
    told: Counter[int | str] = field(default_factory=Counter)
    acknowledged: dict[str, str] = field(default_factory=dict)

    def play(self, games: int) -> None:
        with ThreadPoolExecutor(DRIVERS) as drivers:
            shares = [games // DRIVERS + (number < games % DRIVERS) for number in range(DRIVERS)]
            list(drivers.map(self._drive, range(DRIVERS), shares))

    def check(self) -> None:
        """Check that the table has exactly the acknowledged games and moves, all legal and finished."""
        found = {game.game_id: game for game in Game.scan(Game.host_id.exists(), consistent_read=True)}
        assert {game_id: game.recorded_moves for game_id, game in found.items()} == self.acknowledged
        for game in found.values():
            match = game.match()
            assert list(rules.replay(game.recorded_moves))[-1] == match.position
            assert match.outcome
            by_board = match.player_of(match.outcome.winner) if match.outcome.winner else TIE
            assert (match.stored_status, game.result) == (Status.FINISHED, by_board)

    def _drive(self, seed: int, games: int) -> None:
        host, opponent = Player(self.site, self.told), Player(self.site, self.told)
        with ThreadPoolExecutor(2) as tabs:
            for game in range(games):
                self._play_one(host, opponent, tabs, Random(f"{seed}.{game}"))

    def _play_one(self, host: Player, opponent: Player, tabs: ThreadPoolExecutor, dice: Random) -> None:
        path = host.invite(opponent.name)
        state = accepted(opponent.insist("POST", f"{path}accept/"))
        moves = ""
        while state["status"] != "FINISHED":
            mover, position = (host if len(moves) % 2 else opponent), state["position"]
            squares = pressed(state["board"], dice)
            answers = list(tabs.map(lambda square: mover.move(path, square, position), squares))  # noqa: B023
            moves, state = judged(moves, squares, answers)
            self.acknowledged[path.split("/")[2]] = moves


def pressed(board: list[str], dice: Random) -> list[int]:
    """Return a square, sometimes twice, or sometimes with another one for a second tab."""
    empty = [square for square, mark in enumerate(board) if mark == rules.EMPTY]
    square = dice.choice(empty)
    return [square, *dice.choice([[], [], [], [square], [dice.choice(empty)]])]


def accepted(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    state: dict[str, Any] = answer.json()
    return state


def judged(moves: str, squares: list[int], answers: list[requests.Response]) -> tuple[str, dict[str, Any]]:
    """Check that one square was acknowledged and that losers got that board; return the moves and the state."""
    told = list(zip(squares, answers, strict=True))
    made = {square for square, answer in told if answer.status_code == 200}
    assert len(made) == 1, [(square, answer.status_code, answer.text) for square, answer in told]
    after = f"{moves}{made.pop()}"
    for _, answer in told:
        assert answer.status_code in (200, 409), answer.text
        assert answer.json()["moves"] == after, "the current board"
    return after, answers[0].json()
