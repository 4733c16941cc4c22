"""The CPU time of a game's journey through gunicorn, here and at an earlier commit, by turns in one run.

A journey is five lobbies, an invitation, its acceptance and nine moves. The pages that show a player what the other
did come in between and aren't counted. The earlier commit runs from a worktree, with the packages of that time.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.site import machine
from games.rules import SQUARES
from tests.support import usage
from tests.support.engines import dynamodb_local, free_port
from tests.support.moves import A_TIE
from tests.support.pages import HTMX, position_in
from tests.support.players import Player
from tests.support.processes import children_of
from tests.support.sites import configured_for, gunicorn
from tictactoe_site.config import BASE_DIR

LOBBIES = 5
HTML = {"Accept": "text/html"}


class Side:
    """A site under gunicorn with one worker, and two players of it."""

    def __init__(self, address: str, master: int) -> None:
        self._master = master
        self._host, self._guest = Player(address), Player(address)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Add the worker's CPU time of the block to ``self._seconds``."""
        [worker] = children_of(self._master)
        before = usage.cpu_seconds_of_threads(worker)
        yield
        self._seconds += usage.cpu_seconds_of_threads(worker) - before

    def journey(self) -> float:
        """Play a game; return the CPU milliseconds that it took."""
        self._seconds = 0.0
        with self._counted():
            for _ in range(LOBBIES):
                self._host.insist("GET", "/", headers=HTML)
            path = self._host.invite(self._guest.name)
            answer = self._guest.insist("POST", f"{path}accept/", headers=HTML | HTMX)
        for number, digit in enumerate(A_TIE):
            mover, other = (self._guest, self._host)[:: (1, -1)[number % 2]]
            form = {"square": SQUARES[int(digit)], "position": position_in(answer)}
            with self._counted():
                mover.insist("POST", f"{path}move/", form, headers=HTML | HTMX)
            answer = other.insist("GET", path, headers=HTML)
        return self._seconds * 1000


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Yield a worktree of the commit with an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "then"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", there, commit], cwd=BASE_DIR, check=True)
        try:
            subprocess.run(["make", "--silent", ".venv/play"], cwd=there, check=True)
            yield there
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", there], cwd=BASE_DIR, check=True)


@contextmanager
def served(project: Path, endpoint: str) -> Iterator[Side]:
    """Run the project under gunicorn in a process of its own environment."""
    python = str(project / ".venv/bin/python")
    with tempfile.TemporaryDirectory() as folder:
        options = {"CONFIG_FILE": configured_for(endpoint, Path(folder))}
        with gunicorn(
            free_port(), "--threads", "8", log=subprocess.DEVNULL, project=str(project), python=python, **options
        ) as (address, master):
            yield Side(address, master.pid)


def compared(commit: str, times: int) -> dict[str, float]:
    """Return the median milliseconds here and there. The first journey of each warms it up and isn't counted."""
    with ExitStack() as both:
        then = both.enter_context(checked_out(commit))
        sides = [
            both.enter_context(served(project, both.enter_context(dynamodb_local()))) for project in (BASE_DIR, then)
        ]
        found = [[side.journey() for side in sides] for _ in range(times + 1)]
    here, there = map(statistics.median, zip(*found[1:], strict=True))
    return {"here_ms": here, "there_ms": there, "ratio": here / there}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.journey", description=__doc__)
    parser.add_argument("commit", help="the earlier commit, e.g. 1dc5e7c")
    parser.add_argument("--times", type=int, default=30, help="how many journeys on each side (default 30)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    chosen = parser.parse_args()
    before = machine()
    figures = compared(chosen.commit, chosen.times)
    if chosen.json:
        print(json.dumps(figures))
        return
    print(before)
    print("{here_ms:.1f} ms here, {there_ms:.1f} ms at {commit}: {ratio:.2f}".format(commit=chosen.commit, **figures))


if __name__ == "__main__":
    main()
