"""The pages after the lobby: links reach every game exactly once, in both directions, even while games change.

Those with hundreds of games run on DynamoDB Local only: moto's query scans every item of the table.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamodb.client import shared_client
from games.match import Entry, Status
from games.models import Game
from games.storage import indexes
from games.storage import lobby as lists
from games.storage.indexes import FIRST_READ, Cursor
from games.storage.lobby import Lobby
from tests.support.many import LISTS, PARAMETERS, game_of, links, move_on, pages, put, summaries, walked
from tests.support.pages import JSON

pytestmark = pytest.mark.usefixtures("games_table")
local = pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)

PAIRS = (("alice", "bob"), ("bob", "alice"))
PENDING, IN_PROGRESS, FINISHED = Status


def several(status: Status, number: int) -> list[str]:
    """Store that many of alice's games, alternately as host and as opponent; return the ids, oldest first."""
    return put(game_of(status, second, *PAIRS[second % 2]) for second in range(number))


@local
def test_paging_reaches_every_game_in_both_directions(alice: Client) -> None:
    made = [*several(FINISHED, 50), *several(IN_PROGRESS, 250), *several(PENDING, 250)]
    down = list(pages(alice, "Older games"))
    assert sorted(walked(page for _, page in down)) == sorted(made)
    up = list(pages(alice, "Newer games", down[-1][0]))
    assert sorted(walked(page for _, page in up)) == sorted(made)


@local
def test_json_pages_list_games_newest_first(alice: Client) -> None:
    made = {"finished": several(FINISHED, 50), "playing": several(IN_PROGRESS, 250)}
    pending = several(PENDING, 250)
    made |= {"waiting": pending[::2], "invitations": pending[1::2]}
    down = list(summaries(alice, "older"))
    for name in LISTS:
        assert [game["gameId"] for page in down for game in page[name]] == made[name][::-1]


def test_pages_link_only_to_pages_with_games(alice: Client) -> None:
    several(FINISHED, 45)
    lobby, middle, oldest = [alice.get(address).content.decode() for address, _ in pages(alice, "Older games")]
    assert set(links(lobby)) == {"Older games"}
    assert set(links(middle)) == {"Newer games", "Older games", "Back to your games"}
    assert set(links(oldest)) == {"Newer games", "Back to your games"}
    newest = alice.get(links(middle)["Newer games"]).content.decode()
    assert set(links(newest)) == {"Older games", "Back to your games"}
    assert links(newest)["Older games"] == links(lobby)["Older games"]
    assert 'data-events="/events/"' in lobby
    assert 'data-events="' not in newest


def test_few_games_fit_in_lobby_without_paging_links(alice: Client) -> None:
    several(FINISHED, 10)
    assert links(alice.get("/").content.decode()) == {}


@pytest.mark.parametrize("hosts", [("alice",), ("alice", "bob")], ids=["of one index", "of both indexes"])
@pytest.mark.parametrize("status", Status)
def test_paging_reaches_games_with_equal_timestamps(
    alice: Client, monkeypatch: pytest.MonkeyPatch, status: Status, hosts: tuple[str, ...]
) -> None:
    monkeypatch.setattr(lists, "MOST", 8)
    pairs = [pair for pair in PAIRS if pair[0] in hosts]
    moments = [0, *[1] * 28, 2]
    made = put(game_of(status, second, *pairs[number % len(pairs)]) for number, second in enumerate(moments))
    down = list(pages(alice, "Older games"))
    assert sorted(walked(page for _, page in down)) == sorted(made)
    assert sorted(walked(page for _, page in pages(alice, "Newer games", down[-1][0]))) == sorted(made)


class Opponents:
    """Opponents who finish one of alice's games, and one more played meanwhile, between two of her requests."""

    def __init__(self, running: list[str]) -> None:
        self.running = list(running)
        self.finished: list[str] = []

    def act(self) -> None:
        now = FINISHED.dated(datetime.now(UTC))
        self.finished += put([game_of(FINISHED, 0, *PAIRS[len(self.running) % 2], status_date=now)])
        self.finished.append(move_on(self.running.pop(), FINISHED))


def test_games_finishing_while_paging_to_older_cause_no_gaps_or_duplicates(alice: Client) -> None:
    finished = several(FINISHED, 100)
    opponents = Opponents(several(IN_PROGRESS, 12))
    seen = walked((page for _, page in pages(alice, "Older games")), opponents.act)
    assert len(opponents.finished) > 8
    assert sorted(set(seen) & set(finished)) == sorted(finished)
    assert len(seen) == len(set(seen))


def test_games_finishing_while_paging_to_newer_are_all_listed(alice: Client) -> None:
    finished = several(FINISHED, 100)
    running = several(IN_PROGRESS, 12)
    opponents = Opponents(running)
    oldest = [address for address, _ in pages(alice, "Older games")][-1]
    # Games that finish after the last page was read aren't on it.
    up, seen = pages(alice, "Newer games", oldest), []
    for _, page in up:
        seen += page
        known = list(opponents.finished)
        opponents.act()
    assert len(known) > 8
    assert sorted(seen) == sorted({*finished, *running, *known})


def test_empty_page_says_so_and_links_to_lobby(alice: Client) -> None:
    several(FINISHED, 1)
    newest = Cursor.of(Game.get(several(FINISHED, 3)[2]).entry()).text
    page = alice.get("/", {"after": newest}).content.decode()
    assert "There are no games here any more." in page
    assert links(page) == {"Back to your games": "/"}


@local
def test_page_full_of_expired_invitations_hides_no_games(alice: Client) -> None:
    put(game_of(PENDING, second, "bob", "alice", expires_at=int(time.time()) - 9) for second in range(210))
    playing = several(IN_PROGRESS, 3)
    assert sorted(walked(page for _, page in pages(alice, "Older games"))) == sorted(playing)


def test_hand_written_dates_work_as_cursors(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "FINISHED_IN_LOBBY", 1)
    monkeypatch.setattr(lists, "FINISHED_ON_A_PAGE", 1)
    dates = ("FINISHED_yesterday", "FINISHED_2026-01-01 00:00:00.5", "FINISHED_2026-01-01 00:00:00", "FINISHED_")
    made = put(game_of(FINISHED, 0, "alice", "bob", status_date=date) for date in dates)
    assert walked(page for _, page in pages(alice, "Older games")) == made


def test_before_and_after_together_are_400(alice: Client) -> None:
    place = Cursor.of(game_of(FINISHED, 0, *PAIRS[0]).entry()).text
    answer = alice.get("/", {"before": place, "after": place}, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith("not for both.")


@pytest.fixture
def once_found() -> Iterator[list[Callable[[], object]]]:
    """Yield a list; an action put into it runs once, as soon as DynamoDB answers a query with some games."""
    actions: list[Callable[[], object]] = []

    def happen(parsed: dict[str, Any], **_: Any) -> None:
        if actions and parsed["Items"]:
            actions.pop()()

    events = shared_client().meta.events
    events.register("after-call.dynamodb.Query", happen)
    yield actions
    events.unregister("after-call.dynamodb.Query", happen)


def test_game_finishing_between_query_and_read_is_listed_as_finished(once_found: list[Any]) -> None:
    finished, running = put(game_of(status, 0, "alice", "bob") for status in (FINISHED, IN_PROGRESS))
    once_found.append(lambda: move_on(running, FINISHED))
    lobby = lists.newest("alice", now())
    assert (lobby.playing, ids_of(shown(lobby))) == ([], [running, finished])
    assert lobby.finished[0].result == "Tie"


def test_game_deleted_between_query_and_read_is_not_listed(once_found: list[Any]) -> None:
    expired, running = put(game_of(IN_PROGRESS, second, "alice", "bob") for second in range(2))
    once_found.append(lambda: Game(expired).delete())
    assert ids_of(shown(lists.newest("alice", now()))) == [running]


@pytest.mark.parametrize(("status", "following"), [(PENDING, IN_PROGRESS), (IN_PROGRESS, FINISHED)])
def test_game_changing_status_between_index_queries_is_listed_once(
    once_found: list[Any], status: Status, following: Status
) -> None:
    *others, newest = put(game_of(status, second, "alice", "bob") for second in range(FIRST_READ + 5))
    once_found.append(lambda: move_on(newest, following))
    lobby = lists.newest("alice", now())
    assert ids_of(lobby.sent or lobby.playing) == others[::-1]
    assert ids_of(lobby.finished or lobby.playing) == [newest]


def shown(lobby: Lobby) -> list[Entry]:
    return list(lobby.games)


def ids_of(games: Iterable[Entry]) -> list[str]:
    return [game.game_id for game in games]


ENTRIES = st.tuples(st.sampled_from(Status), st.integers(0, 2), st.booleans())
SIZES = st.fixed_dictionaries(
    {
        "FINISHED_IN_LOBBY": st.integers(1, 3),
        "FINISHED_ON_A_PAGE": st.integers(1, 3),
        "MOST": st.integers(1, 5),
        "FIRST_READ": st.integers(1, 3),
        "FURTHER_READ": st.integers(1, 4),
    }
)


@local
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(ENTRIES, max_size=12), sizes=SIZES)
def test_any_games_and_page_sizes_list_each_game_on_one_page(
    made: list[tuple[Status, int, bool]], sizes: dict[str, int]
) -> None:
    player = f"p{uuid.uuid4().hex[:10]}"  # Instead of an empty table for each example.
    pairs = ((player, "bob"), ("bob", player))
    games = [game_of(status, second, *pairs[invited]) for status, second, invited in made]
    put(games)
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setattr(indexes if name in ("FIRST_READ", "FURTHER_READ") else lists, name, size)
        down = list(lobbies(player, "older"))
        up = list(lobbies(player, "newer", down[-1].newer))
    expected = in_order([game.entry() for game in games])
    assert [place for lobby in down for place in in_order(shown(lobby))] == expected
    assert [place for lobby in [*up[::-1], down[-1]] for place in in_order(shown(lobby))] == expected
    assert all(len(shown(lobby)) <= sizes["MOST"] for lobby in down + up)


def lobbies(player: str, way: str, place: str | None = "") -> Iterator[Lobby]:
    """Yield the lobby, or the page at a cursor, and the pages that follow it in one direction."""
    while place is not None:
        lobby = lists.page(player, now(), **{PARAMETERS[way]: place}) if place else lists.newest(player, now())
        yield lobby
        place = getattr(lobby, way)


def in_order(games: list[Entry]) -> list[tuple[str, str]]:
    return sorted(((game.status_date, game.game_id) for game in games), reverse=True)
