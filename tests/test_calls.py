"""How much of our own code a request runs: its calls of our functions and templates, which no busy machine changes.

``make bench-cpu`` measures the time. A change that makes a page work harder changes its number here on purpose.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from types import FrameType
from typing import Any

import pytest
from botocore.useragent import UserAgentString
from django.http import HttpResponse
from django.test import Client

from dynamodb.client import warm_up
from games.match import Status
from tests.support.many import game_of, put
from tests.support.pages import HTMX, new_game_in, position_in
from tictactoe_site.config import BASE_DIR
from tictactoe_site.table import Item

OURS = tuple(f"{BASE_DIR / name}/" for name in ("accounts", "dynamodb", "games", "templates", "tictactoe_site"))
# Python 3.12 makes no function of a comprehension.
INLINED = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
RECORDED = {
    "healthz": 12,
    "welcome": 251,
    "lobby, empty": 342,
    "lobby, 15 running": 819,
    "lobby, 20 finished": 797,
    "game": 585,
    "state": 70,
    "replay": 1012,
    "player": 1571,
    "create": 130,
    "accept": 87,
    "move": 322,
    "move, plain": 149,
    "finishing move": 388,
}

Counted = dict[str, Counter[str]]
Action = Callable[[], Any]


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the calls in this thread while the block runs, by function. Reads in other threads aren't counted."""
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_name not in INLINED and code.co_filename.startswith(OURS):
            calls[f"{code.co_filename.removeprefix(f'{BASE_DIR}/')} {code.co_qualname}"] += 1

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def plays(alice: Client, bob: Client) -> Iterator[tuple[str, Action]]:
    """Yield each request of a game, by its name in RECORDED, to be sent at once."""

    def move(player: Client, square: str, headers: dict[str, str]) -> Action:
        form = {"square": square, "position": position_in(player.get(url))}
        return lambda: player.post(f"{url}move/", form, headers=headers)

    signed = new_game_in(alice.get("/games/new/"))
    yield "create", lambda: alice.post("/games/new/", {"opponent": "bob", "game": signed})
    url = f"/games/{signed.partition(':')[0]}/"
    yield "accept", lambda: bob.post(f"{url}accept/")
    yield "game", lambda: alice.get(url)
    yield "state", lambda: alice.get(f"{url}state/")
    yield "move", move(bob, "TopLeft", HTMX)
    yield "move, plain", move(alice, "TopMiddle", {})
    yield "move", move(bob, "MiddleMiddle", HTMX)
    yield "move, plain", move(alice, "TopRight", {})
    yield "finishing move", move(bob, "BottomRight", HTMX)


def gets(alice: Client, busy: Client, old: Client) -> Iterator[tuple[str, Action]]:
    """Yield a request for each page that isn't a game's."""
    visitor = Client()
    yield "healthz", lambda: visitor.get("/healthz/")
    yield "welcome", lambda: visitor.get("/")
    yield "lobby, empty", lambda: alice.get("/")
    yield "lobby, 15 running", lambda: busy.get("/")
    yield "lobby, 20 finished", lambda: old.get("/")
    yield "replay", lambda: visitor.get("/replay/021354678/")
    yield "player", lambda: alice.get("/players/eve/")


@pytest.fixture(scope="module", params=["moto"])
def engine(request: pytest.FixtureRequest, engines: Callable[[str], str]) -> str:
    return engines(request.param)


@pytest.fixture
def requests(log_in: Callable[[str], Client]) -> Counted:
    """Send each kind of request twice, and return the calls of the last, for which the caches are warm."""
    put(game_of(Status.IN_PROGRESS, second, "charlie", "dave") for second in range(15))
    put(game_of(Status.FINISHED, second, "eve", "dave") for second in range(20))
    alice, bob, charlie, eve = map(log_in, ("alice", "bob", "charlie", "eve"))
    found: Counted = {}
    for _ in range(2):
        for name, send in chain(gets(alice, charlie, eve), plays(alice, bob)):
            with counted() as calls:
                answer: HttpResponse = send()
            assert answer.status_code < 400, (name, answer)
            found[name] = calls
    return found


def test_requests_run_as_much_of_our_code_as_recorded(requests: Counted) -> None:
    found = {name: calls.total() for name, calls in requests.items()}
    grown = {name: requests[name].most_common(20) for name, total in found.items() if total > 1.1 * RECORDED[name]}
    assert not grown, f"Make it less, or record it: {found}"
    fallen = [name for name, total in found.items() if total < 0.9 * RECORDED[name]]
    assert not fallen, f"That is good: record it: {found}"


def test_user_agent_is_not_built_for_each_call(games_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    warm_up()
    monkeypatch.setattr(UserAgentString, "_build_os_metadata", lambda self: 1 / 0)
    assert list(Item.scan()) == []
