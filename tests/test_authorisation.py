"""Who may do what: each route, for each role, in each state of a game, as a page, a fragment and JSON.

A new route needs a row or a column. A request changes the table only if its cell says so.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.test import Client
from django.urls import get_resolver

from accounts import generations
from accounts import store as players
from dynamodb.client import shared_client
from dynamodb.items import RawItem, TableItem
from games.errors import NotFound, UnreadableGame
from games.match import Status
from games.models import Game
from games.signing import signed
from games.storage import limits, store
from tests.conftest import PASSWORD, empty_table, stored, use
from tests.support.pages import HTMX, JSON
from tests.support.stages import session_of
from tests.test_contract import WITHOUT_ROUTE, routes

# Alice is the host of every game, and has blocked dave. Each opponent, who plays X, has one game in each state.
OPPONENTS = {"opponent": "bob", "guest in the game": "guest-abcdefghijkm", "blocked player": "dave"}
STRANGERS = {"player": "charlie", "guest": "guest-mkjihgfedcba"}
# The newcomer's forms say ``as=guest``, as those of the welcome page do.
VISITORS = {"anonymous": "", "ended session": "alice"}
ROLES = VISITORS | {"newcomer": ""} | STRANGERS | {"host": "alice"} | OPPONENTS

# What happens if this is asked for by a visitor, by a stranger (also a newcomer), by the host, by an opponent:
#   =  it's shown, or was done before      3 4 9  it's refused with 403, 404 or 409
#   +  it's done: the table changes        ? !    it's refused with 403 or 409, but the game ends, as its time is up
#   >  it leads to another page            5      503: only the live process does that
GAMES = """
                game  state events accept decline cancel resign rematch move  as-shown
named           ====  ====  5555   333+   333+    33+3   3399   3399    339+  339+
named-paced     ====  ====  5555   333+   333+    33+3   3399   3399    339+  339+
open            ====  ====  5555   3+3+   3333    33+3   3393   3393    3+9+  3+9+
expired         ====  ====  5555   3339   333+    33+3   3399   3399    3399  3399
running         ====  ====  5555   333=   3399    3399   33++   3399    339+  339+
paced           ====  ====  5555   333=   3399    3399   33++   3399    339+  339+
time-is-up      ++++  ++++  5555   333=   3399    3399   33++   3?++    33!!  33!!
won             ====  ====  5555   3339   3399    3399   3399   33++    3399  3399
tied            ====  ====  5555   3339   3399    3399   3399   33++    3399  3399
resigned        ====  ====  5555   3339   3399    3399   3399   33++    3399  3399
lost-on-time    ====  ====  5555   3339   3399    3399   3399   33++    3399  3399
damaged         9999  9999  5555   3999   3999    3999   3999   3999    3999  3999
computer        ====  ====  5555   3333   3393    3393   33+3   3393    33+3  33+3
computer-over   ====  ====  5555   3333   3393    3393   3393   33+3    3393  3393
declined        4444  4444  5555   3444   3444    3444   3444   3444    3444  3444
gone            4444  4444  5555   3444   3444    3444   3444   3444    3444  3444
"""
# The same for a visitor, for a guest, for a player.
OTHERS = """
GET /                               ===
GET /events/                        555
GET /healthz/                       ===
GET /readyz/                        ===
GET /privacy/                       ===
GET /players/<name>/                ===
GET /replay/<moves>/                ===
GET /games/new/                     >==
POST /games/new/                    3++
GET /accounts/login/                ==>
POST /accounts/login/               ===
GET /accounts/signup/               ==>
POST /accounts/signup/              +++
POST /accounts/guest/               ===
POST /accounts/logout/              ===
GET /accounts/account/              >>=
GET /accounts/export/               >>=
POST /accounts/password/            33+
POST /accounts/everywhere/          33+
POST /accounts/block/               33+
POST /accounts/delete/              33+
GET /.well-known/change-password    >>>
"""
FORMS = {
    "move": {"square": "BottomMiddle"},
    "as-shown": {"square": "BottomMiddle"},
    "POST /accounts/login/": {"username": "charlie", "password": PASSWORD},
    "POST /accounts/signup/": {"username": "emma", "password": PASSWORD},
    "POST /accounts/password/": {"password": PASSWORD, "new": "another good one"},
    "POST /accounts/delete/": {"password": PASSWORD},
    "POST /accounts/block/": {"player": "emma"},
    "POST /games/new/": {"opponent": "emma"},
}
# What is the same for everybody.
PUBLIC = ("GET /healthz/", "GET /readyz/")
KINDS: dict[str, dict[str, str]] = {"page": {}, "fragment": HTMX, "json": JSON}
REFUSALS = {"3": 403, "?": 403, "4": 404, "9": 409, "!": 409, "5": 503}
WRITES = [f"provide-client-params.dynamodb.{name}" for name in ("PutItem", "UpdateItem", "DeleteItem")]
DAY = 86_400


def _begun(by: str, pace: int | None = None, moves: str = "") -> str:
    invitation = store.invite(host="alice", opponent=by, pace=pace)
    game = store.accept(invitation.game_id, player=by, shown=invitation)
    for number, square in enumerate(moves):
        game = store.move(game, player=(by, "alice")[number % 2], square=int(square))
    return game.game_id


def _changed(game_id: str, **values: Any) -> str:
    Game(game_id).update([getattr(Game, name).set(value) for name, value in values.items()])
    return game_id


def _resigned(game_id: str) -> str:
    return store.resign(stored(game_id).match(), player="alice").game_id


def _declined(by: str) -> str:
    game_id = store.invite(host="alice", opponent=by).game_id
    store.decline(game_id, player=by)
    return game_id


def _late(by: str) -> str:
    return _changed(_begun(by, DAY), deadline=1)


STATES: dict[str, Callable[[str], str]] = {
    "named": lambda by: store.invite(host="alice", opponent=by).game_id,
    "named-paced": lambda by: store.invite(host="alice", opponent=by, pace=DAY).game_id,
    "open": lambda by: store.invite(host="alice", opponent=None).game_id,
    "expired": lambda by: _changed(store.invite(host="alice", opponent=by).game_id, expires_at=1),
    "running": _begun,
    "paced": lambda by: _begun(by, DAY),
    "time-is-up": _late,
    "won": lambda by: _begun(by, moves="03142"),
    "tied": lambda by: _begun(by, moves="021354678"),
    "resigned": lambda by: _resigned(_begun(by)),
    "lost-on-time": lambda by: store.forfeit(stored(_late(by)).match(), datetime.now(UTC)).game_id,
    "damaged": lambda by: _changed(_begun(by), turn="nobody"),
    "computer": lambda by: store.challenge_computer(host="alice", host_begins=True).game_id,
    "computer-over": lambda by: _resigned(store.challenge_computer(host="alice", host_begins=True).game_id),
    "declined": _declined,
    "gone": lambda by: "7b0c1c0e-6f5a-4c57-9d3c-2f1f1a7f0e11",
}


@dataclass
class World:
    """All players and games. They stay as they are: what a request changes is put back."""

    engine: str
    sessions: dict[str, str]
    games: dict[tuple[str, str], str]
    positions: dict[str, str]
    items: dict[str, RawItem]

    def ask(self, role: str, route: str, kind: str, form: dict[str, str]) -> tuple[Any, dict[str, RawItem | None]]:
        """Return the answer, and the items that changed."""
        method, path = route.split(" ")
        browser, written = Client(), set()
        if self.sessions[role]:
            browser.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        # A move doesn't wait for the check of its session, which has just been done.
        generations.of(ROLES[role])

        def note(params: dict[str, Any], **_: Any) -> None:
            written.add((params.get("Key") or params["Item"])["GameId"]["S"])

        events = shared_client().meta.events
        for event in WRITES:
            events.register(event, note)
        answer = getattr(browser, method.lower())(path, form, headers=KINDS[kind])
        for event in WRITES:
            events.unregister(event, note)
        now = {key: item_at(key) for key in written if not key.startswith("throttle#")}
        changed = {key: item for key, item in now.items() if item != self.items.get(key)}
        for key in changed:
            self._put_back(key)
        return answer, changed

    def _put_back(self, key: str) -> None:
        client, table = shared_client(), TableItem.Meta.table_name
        if key in self.items:
            client.put_item(TableName=table, Item=self.items[key])
        else:
            client.delete_item(TableName=table, Key={"GameId": {"S": key}})
        forget()


def item_at(key: str) -> RawItem | None:
    table = TableItem.Meta.table_name
    found: RawItem | None = shared_client().get_item(TableName=table, Key={"GameId": {"S": key}}).get("Item")
    return found


def everything() -> dict[str, RawItem]:
    found = shared_client().scan(TableName=TableItem.Meta.table_name)["Items"]
    items = {item["GameId"]["S"]: item for item in found}
    return {key: item for key, item in items.items() if not key.startswith("throttle#")}


def forget() -> None:
    generations._known.clear()
    limits._known.clear()


@pytest.fixture(scope="module")
def whole_world(engines: Callable[[str], str]) -> Iterator[World]:
    engine = engines("moto")
    use(engine)
    sessions = {role: session_of(player) if player else "" for role, player in ROLES.items()}
    ended = SessionStore()
    ended["player"], ended["generation"] = "alice", "an earlier one"
    ended.save()
    players.block("alice", "dave")
    games = {(state, role): STATES[state](player) for role, player in OPPONENTS.items() for state in STATES}
    positions = {}
    for key in games.values():
        with suppress(NotFound, UnreadableGame, Game.DoesNotExist):
            positions[key] = signed(stored(key).match())
    yield World(engine, sessions | {"ended session": str(ended.session_key)}, games, positions, everything())
    empty_table()


@pytest.fixture
def world(whole_world: World) -> Iterator[World]:
    use(whole_world.engine)
    forget()
    yield whole_world
    assert everything() == whole_world.items


def rows(table: str) -> dict[str, str]:
    """Return the cells of each row by its state, or by its route."""
    lines = (re.fullmatch(r"(\S+(?: /\S*)?) +(.*)", line) for line in table.splitlines())
    return {line[1]: line[2] for line in lines if line}


COLUMNS = GAMES.split("\n")[1].split()
READS = ("game", "state", "events")


def route_of(column: str) -> str:
    path = {"game": "", "as-shown": "move/"}.get(column, f"{column}/")
    return f"{'GET' if column in READS else 'POST'} /games/<id>/{path}"


def check(cell: str, route: str, kind: str, answer: Any, changed: dict[str, RawItem | None]) -> str:
    """Return how the answer differs from what the cell says; "" if it doesn't."""
    shown = f"{answer.status_code}, changed {[*changed]}"
    if answer.status_code in (429, 503) and "Retry-After" not in answer:
        return f"{shown}, without Retry-After"
    if "private" not in answer.get("Cache-Control", "") and not route.startswith(PUBLIC):
        return f"{shown}: a shared cache may keep it"
    done = {"GET": 200, "POST": 303 if kind == "page" else 200}[route.split(" ")[0]]
    if kind == "json" and route.endswith(("/new/", "/rematch/")) and route.startswith("POST"):
        done = 201
    expected = [302, 303] if cell == ">" else [REFUSALS.get(cell, done)]
    if cell == "4" and kind == "fragment" and "HX-Redirect" in answer:
        expected = [200]  # which has the page loaded
    due = cell in "?!" or (cell == "+" and route.startswith("GET"))
    if due and not all(item and item["StatusDate"]["S"].startswith(Status.FINISHED) for item in changed.values()):
        return f"{shown}: more than was due"
    return "" if answer.status_code in expected and bool(changed) == (cell in "+?!") else shown


def test_each_route_has_a_row_or_a_column() -> None:
    assert set(routes(get_resolver().url_patterns)) | WITHOUT_ROUTE == {*rows(OTHERS), *map(route_of, COLUMNS)}
    assert rows(GAMES).keys() == STATES.keys()


@pytest.mark.parametrize("column", COLUMNS)
def test_who_may_do_what_with_a_game(world: World, column: str) -> None:
    wrong = []
    cells = {state: row.split()[COLUMNS.index(column)] for state, row in rows(GAMES).items()}
    for (at, (state, cell)), (number, role) in product(enumerate(cells.items()), enumerate(ROLES)):
        kind = [*KINDS][(at + number) % len(KINDS)]  # Each role meets each kind, and so does each state.
        game_id = world.games[state, role if role in OPPONENTS else "opponent"]
        form = {**FORMS.get(column, {})}
        if column == "as-shown":
            form["position"] = world.positions.get(game_id, "")
        if role == "newcomer":
            form["as"] = "guest"
        who = 0 if role in VISITORS else 2 if role == "host" else 3 if role in OPPONENTS else 1
        route = route_of(column).replace("<id>", game_id)
        if found := check(cell[who], route, kind, *world.ask(role, route, kind, form)):
            wrong.append(f"{state}, {role}, {kind}: {found} instead of {cell[who]}")
    assert wrong == []


@pytest.mark.parametrize(("route", "cells"), rows(OTHERS).items(), ids=rows(OTHERS))
def test_who_may_do_what(world: World, route: str, cells: str) -> None:
    wrong = []
    for role, kind in product((*VISITORS, *STRANGERS), KINDS):
        cell = cells[0 if role in VISITORS else 1 if role == "guest" else 2]
        path = route.replace("<name>", "bob").replace("<moves>", "03142")
        if found := check(cell, path, kind, *world.ask(role, path, kind, FORMS.get(route, {}))):
            wrong.append(f"{role}, {kind}: {found} instead of {cell}")
    assert wrong == []


@pytest.mark.parametrize("route", sorted(route for route in routes(get_resolver().url_patterns) if "POST" in route))
def test_form_of_another_site_is_refused(world: World, route: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[settings.SESSION_COOKIE_NAME] = world.sessions["host"]
    path = route.split(" ")[1].replace("<id>", world.games["running", "opponent"])
    for headers in KINDS.values():
        assert strict.post(path, FORMS.get(route, {"square": "TopLeft"}), headers=headers).status_code == 403
