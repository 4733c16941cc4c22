"""Profile pages: the record, which counts each finished game once whatever fails; head-to-head score; and history."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from dynamodb import conditional
from dynamodb.errors import StoreUnavailable
from games.match import Status
from games.models import Game
from games.pages.player import ProfilePage
from games.storage import records, store
from games.storage.indexes import Cursor
from games.storage.records import Record, RecordItem, Score
from tests.conftest import Cast
from tests.support.consumed import Meter
from tests.support.many import game_of, put
from tests.support.pages import JSON, unmarked

FINISHED = Status.FINISHED


def finished(results: str, start: int = 0, host: str = "alice", other: str = "bob") -> list[Game]:
    """Return old finished games, in order, each won, lost or tied (W, L, T) by the host."""
    winner = {"W": host, "L": other, "T": "Tie"}
    return [game_of(FINISHED, start + n, host, other, result=winner[letter]) for n, letter in enumerate(results)]


@pytest.fixture
def many(games_table: str) -> list[Game]:
    """Store sixty of alice's games: so many that their count gets stored."""
    games = finished("WLT" * 10) + finished("LLT" * 10, start=30, host="bob", other="alice")
    put(games)
    return games


ALL = Score(won=10 + 20, lost=10, tied=20)


def kept() -> RecordItem | None:
    found: Iterator[Any] = iter(RecordItem.query(RecordItem.key("alice")))
    return next(found, None)


@pytest.mark.parametrize(("games", "is_kept"), [(records.KEPT_AFTER - 1, False), (records.KEPT_AFTER, True)])
def test_record_is_stored_only_if_many_games_are_new(games_table: str, games: int, is_kept: bool) -> None:
    put(finished("W" * games))
    assert records.of("alice", now()).total.won == games
    assert (kept() is not None) is is_kept


def test_record_counts_both_indexes_and_is_stored(many: list[Game], meter: Meter) -> None:
    assert records.of("alice", now()).total == ALL
    item = kept()
    assert item is not None
    assert item.until == f"{many[-1].status_date}~{many[-1].game_id}"
    meter.calls.clear()
    assert records.of("alice", now()).total == ALL
    assert meter.operations.count("PutItem") == 0
    put(finished("WW", start=90))
    assert records.of("alice", now()).total == Score(ALL.won + 2, ALL.lost, ALL.tied)
    assert records.of("bob", now()).total == Score(won=10, lost=32, tied=20)


def test_unstored_or_stale_record_counts_no_game_twice(many: list[Game], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(records, "KEPT_AFTER", 1000)
        assert records.of("alice", now()).total == ALL
    stale = records.Record("alice")
    assert records.of("alice", now()).total == ALL
    before = kept()
    stale.count([many[0].entry()])
    records._keep(stale, None)  # As from a concurrent request that began before.
    after = kept()
    assert before is not None
    assert after is not None
    assert after.scores == before.scores
    assert records.of("alice", now()).total == ALL


def test_just_finished_games_are_not_stored_in_record(many: list[Game]) -> None:
    """Its index entry may appear after that of a later game."""
    moment = now()
    late, later = (game_of(FINISHED, 0, "alice", "bob", status_date=FINISHED.dated(moment)) for _ in range(2))
    put([later])
    assert records.of("alice", now()).total.won == ALL.won + 1
    item = kept()
    assert item is not None
    assert item.until == f"{many[-1].status_date}~{many[-1].game_id}"
    put([late])
    assert records.of("alice", now()).total.won == ALL.won + 2


def test_long_history_is_counted_over_several_requests(
    many: list[Game], alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(finished("W", start=29))  # same timestamp as another: a page may end between the two
    monkeypatch.setattr(records, "MOST_COUNTED", 7)
    counted = [records.of("alice", now()) for _ in range(9)]
    assert [record.total.games for record in counted] == [7, 14, 21, 28, 35, 42, 49, 56, 61]
    assert [record.is_whole for record in counted] == [False] * 8 + [True]
    assert records.of("alice", now()).total == Score(ALL.won + 1, ALL.lost, ALL.tied)


def test_page_says_still_counting_until_done(alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    put(finished("WW", other="guest-aaaaaa") + finished("LLLWW", start=5))
    monkeypatch.setattr(records, "MOST_COUNTED", 2)
    page = unmarked(bob.get("/players/alice/"))
    assert "Still counting" in page
    assert "Nothing yet" not in page
    found = bob.get("/players/alice/", headers=JSON).json()
    assert (found["counting"], found["lost"]) == (True, 2)
    assert "You and" not in (page := unmarked(bob.get("/players/alice/")))
    assert "has won the last" not in page
    assert "Most played" not in page
    bob.get("/players/alice/")
    page = unmarked(bob.get("/players/alice/"))
    assert "Still counting" not in page
    assert "alice has won the last 2." in page
    assert "Most played" in page


def test_concurrent_requests_count_each_game_once(games_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(finished("WLT" * 20))
    monkeypatch.setattr(records, "MOST_COUNTED", 9)
    for _ in range(9):
        with ThreadPoolExecutor(4) as threads:
            last = list(threads.map(lambda _: records.of("alice", now()), range(4)))
    assert {record.total for record in last} == {Score(won=20, lost=20, tied=20)}


def test_page_is_shown_when_record_write_fails(
    many: list[Game], alice: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> None:
        raise StoreUnavailable("no writes today")

    monkeypatch.setattr(conditional, "put", fails)
    found = Client().get("/players/alice/", headers=JSON)
    assert (found.status_code, found.json()["won"]) == (200, ALL.won)
    assert "no writes today" in caplog.text


def test_number_of_separate_opponents_is_bounded(games_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_OPPONENTS", 3)
    names = [f"friend{n % 10}" for n in range(60)] + ["dora"] * 9 + ["computer"]
    put([game_of(FINISHED, n, "alice", name) for n, name in enumerate(names)])
    for _ in range(2):
        record = records.of("alice", now())
        assert (record.total.games, set(record.scores)) == (69, {"", "dora", "friend0", "friend1", "computer"})
    # Nothing is said about opponents whose older games may be in the rest: it could be wrong.
    put([game_of(FINISHED, 99, "alice", "friend9"), game_of(FINISHED, 99, "alice", "dora")])
    record = records.of("alice", now())
    assert (record.total.games, record.scores.get("friend9"), record.scores["dora"].games) == (71, None, 10)
    page = ProfilePage(record, [], None, viewer="")
    assert (page.between, [name for name, _ in page.opponents]) == (None, ["dora", "friend0", "friend1"])
    assert "" not in page.summary["against"]


@pytest.mark.parametrize("letter", "ax")  # before and after "computer"
def test_opponents_with_too_long_names_share_a_score(letter: str) -> None:
    record = Record("alice")
    longest = letter * records.LONGEST_NAME
    record.count(game.entry() for game in finished("WL", other=longest) + finished("WWW", other=longest + "x"))
    assert record.scores == {longest: Score(won=1, lost=1, streak=-1), records.OTHERS: Score(won=3, streak=3)}


@pytest.mark.parametrize(
    ("known", "apart"), [(0, True), (2, True), (3, False)], ids=["none", "room for one", "as many as are kept"]
)
def test_new_opponent_has_a_score_unless_some_were_summed_up(
    known: int, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under OTHERS there may also be those with too long names alone."""
    monkeypatch.setattr(records, "MOST_OPPONENTS", 3)
    names = [records.OTHERS, "computer", *(f"friend{number}" for number in range(known))]
    record = Record("alice", scores={name: Score(won=9) for name in names})
    record.count(game.entry() for game in finished("L", other="gina"))
    assert ("gina" in record.scores, record.scores[records.OTHERS].lost) == (apart, 0 if apart else 1)


def test_stored_record_fits_item_size_limit(games_table: str) -> None:
    names = [f"{n:04}".ljust(records.LONGEST_NAME, "\N{GRINNING FACE}") for n in range(2000)]
    record = Record(
        "alice", Cursor("FINISHED_2026-01-01 00:00:00.000000", "0"), dict.fromkeys(names, Score(1000, 1000))
    )
    records._keep(record, None)
    item = kept()
    assert item is not None
    assert len(item.scores.encode()) < 300_000


@pytest.mark.parametrize("date", ["FINISHED_yesterday", "FINISHED_ 1", "FINISHED_2026-13-01 00:00:00.000000"])
def test_invalid_date_hides_no_later_games(many: list[Game], date: str) -> None:
    put([game_of(FINISHED, 0, "alice", "bob", status_date=date)])
    assert records.of("alice", now()).total.games == 61
    put(finished("W" * 5, start=10_000))
    for _ in range(2):
        assert records.of("alice", now()).total.games == 66


def test_record_stores_games_older_than_a_minute_up_to_a_valid_date() -> None:
    moment = now()
    ages = [timedelta(hours=1), records.SETTLED_AFTER + timedelta.resolution, records.SETTLED_AFTER, timedelta()]
    dates = [FINISHED.dated(moment - age) for age in ages]

    def settled(*dates: str) -> list[str]:
        games = [game_of(FINISHED, 0, "alice", "bob", status_date=date).entry() for date in dates]
        return [game.status_date for game in records._settled(games, moment)]

    assert settled(*dates) == dates[:2]
    assert settled("FINISHED_ 1", *dates) == ["FINISHED_ 1", *dates[:2]]
    assert settled(*dates[:2], "FINISHED_today", "FINISHED_yesterday") == dates[:2]
    assert settled("FINISHED_today", "FINISHED_yesterday") == []


def test_guests_are_not_counted_and_computer_separately(games_table: str) -> None:
    put(finished("WW", other="guest-aaaaaa") + finished("LT", start=5))
    store.resign(store.challenge_computer(host="alice"), player="alice")
    record = records.of("alice", now())
    assert record.total == Score(lost=1, tied=1)
    assert record.scores == {"bob": Score(lost=1, tied=1), "computer": Score(lost=1, streak=-1)}


@pytest.mark.parametrize(
    ("results", "streak"), [("", None), ("W", 1), ("LWW", 2), ("WWL", -1), ("WLLL", -3), ("WWT", 0)]
)
def test_streak_counts_latest_results(games_table: str, results: str, streak: int | None) -> None:
    put(finished(results))
    score = records.of("alice", now()).scores.get("bob")
    assert (score.streak if score else None) == streak


# The page.


def test_profile_shows_record_and_score_against_viewer(alice: Client, bob: Client) -> None:
    put(finished("WLLL") + finished("W", start=9, other="dora"))
    page = unmarked(alice.get("/players/bob/"))
    assert "You and bob" in page
    assert "1 : 3" in page
    assert "bob has won the last 3." in page
    assert 'value="bob">Invite to a game' in page
    page = unmarked(bob.get("/players/alice/"))
    assert "3 : 1" in page
    assert "You have won the last 3." in page
    own = unmarked(alice.get("/players/alice/"))
    assert "You and" not in own
    assert "Invite to a game" not in own
    assert re.findall(r"<dd>(\d+)</dd>", own) == ["2", "3", "0"]
    assert "dora" in own
    assert "Invite to a game" not in Client().get("/players/alice/").content.decode()


def test_profile_as_json(alice: Client) -> None:
    put(finished("WT"))
    found = Client().get("/players/alice/", headers=JSON).json()
    assert (found["player"], found["won"], found["lost"], found["tied"]) == ("alice", 1, 0, 1)
    assert found["against"] == {"bob": {"won": 1, "lost": 0, "tied": 1}}
    assert [game["result"] for game in found["games"]] == ["Tie", "alice"]


def test_history_lists_all_finished_games_and_no_others(alice: Client, log_in: Cast) -> None:
    games = finished("W" * 45)
    put(games)
    put([game_of(Status.PENDING, 99, "alice", "bob"), game_of(Status.IN_PROGRESS, 99, "alice", "bob")])
    seen: list[str] = []
    address: str | None = "/players/alice/"
    while address:
        page = Client().get(address).content.decode()
        seen += re.findall(r'href="/games/([^"/]+)/"', page)
        more = re.search(r'href="([^"]+)">Older games', page)
        address = more[1] if more else None
    assert seen == [game.game_id for game in reversed(games)]


def test_new_players_profile_is_empty(alice: Client) -> None:
    page = alice.get("/players/alice/").content.decode()
    assert "Nothing yet" in page
    assert "None yet." in page


@pytest.mark.parametrize("name", ["nobody", "guest-aaaaaa", "computer", "Nobody", "x" * 3000, "é", "a b"])
def test_unknown_player_is_404(alice: Client, name: str) -> None:
    assert Client().get(f"/players/{name}/", follow=True).status_code == 404


def test_profile_url_redirects_to_lowercase_name(alice: Client) -> None:
    assert Client().get("/players/Alice/")["Location"] == "/players/alice/"


def test_invalid_cursor_is_400(alice: Client) -> None:
    assert Client().get("/players/alice/", {"before": "x"}).status_code == 400
