"""What a topic knows and how often it is read, tested without a server process."""

import itertools
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.utils.timezone import now

from accounts.names import called
from games.live import application, schedule
from games.live.hub import Hub
from games.live.topics import GameTopic, LobbyTopic, Watcher
from games.live.viewers import Viewer
from games.match import Status, StoredMatch
from games.pages.lobby import LobbyPage
from games.signing import rematch_of
from games.storage import lobby as lists
from games.storage import queries, store
from games.storage.lobby import Lobby
from tests.support.consumed import Meter
from tests.support.loops import run_aside
from tests.support.many import game_of, put

MOVES = [0, 3, 1, 4, 2]
HOUR = 3600.0


def reads(*, looked_at: bool, until: float = HOUR, each: int = 1) -> list[float]:
    """Return when an unchanged item is read, in seconds since its last change."""
    moments = [0.0]
    while moments[-1] < until:
        moments.append(moments[-1] + schedule.pause(quiet=moments[-1], looked_at=looked_at, reads=each))
    return moments


def most_in_a_minute(moments: list[float]) -> int:
    return max(sum(start <= moment < start + 60 for moment in moments) for start in moments)


@pytest.mark.parametrize("looked_at", [True, False])
@pytest.mark.parametrize("each", [1, 2, 7])
def test_at_most_sixty_reads_in_any_minute(looked_at: bool, each: int) -> None:
    assert most_in_a_minute(reads(looked_at=looked_at, each=each)) * each <= 60


def test_visible_viewer_waits_at_most_a_second() -> None:
    assert max(after - before for before, after in pairwise(reads(looked_at=True))) < 1.1


def test_game_in_hidden_tabs_falls_to_four_reads_a_minute() -> None:
    moments = reads(looked_at=False)
    assert most_in_a_minute([moment for moment in moments if moment > 360]) == 4
    assert max(after - before for before, after in pairwise(moments) if before < 110) < 1.1
    assert most_in_a_minute([moment for moment in moments if moment > 360] * 2) == 8  # checks most_in_a_minute itself


def viewer(name: str = "", token: str = "", base: str = "https://play.example/") -> Viewer:
    return Viewer(name=name, token=token, base=base, address="", since="", looking=False)


def stages() -> Iterator[StoredMatch]:
    """Play a game from invitation to end, yielding each stage once it is stored."""
    game = store.invite(host="alice", opponent="bob")
    yield game
    game = store.accept(game.game_id, player="bob")
    yield game
    for number, square in enumerate(MOVES):
        game = store.move(game, player="alice" if number % 2 else "bob", square=square)
        yield game


def test_topic_version_never_goes_back(games_table: str) -> None:
    topic = GameTopic("any")
    older: list[StoredMatch] = []
    for game in stages():
        topic.take(game)
        version = topic.version
        for past in older:
            topic.take(past)
        assert topic.version == version
        older.append(game)
    assert topic.version == "25"
    assert [topic.over_for(viewer(name)) for name in ("alice", "bob", "charlie", "")] == [False, False, True, True]


class Watching(Watcher):
    def __init__(self, looking: bool) -> None:
        self.looking = looking

    def wake(self) -> None:
        """Do nothing: no test waits for it."""


@pytest.mark.parametrize(
    ("looking", "shown", "soon"),
    [(False, "0", False), (True, "0", True), (False, "10", True), (False, "", True), (False, "no version", True)],
)
def test_returning_viewer_with_known_version_costs_no_read(looking: bool, shown: str, soon: bool) -> None:
    hub = Hub()
    topic = hub.game("any")
    topic.take(game_of(Status.PENDING, 0, "alice", "bob").match())
    topic.due = later = time.monotonic() + 15
    hub.join(topic, Watching(looking), shown=shown)
    assert (topic.due < later) is soon


def test_finished_game_is_cached_for_a_minute() -> None:
    hub = Hub()
    game = game_of(Status.FINISHED, 1, "alice", "bob")
    topic = hub.game(game.game_id)
    hub.join(topic, Watching(looking=False), shown="")
    assert list(hub._due(time.monotonic())) == [topic]
    hub.join(topic, Watching(looking=False), shown="")
    topic.take(game.match())
    hub._next(topic)
    topic.watchers.clear()
    for later in (2, 58):
        assert not list(hub._due(time.monotonic() + later))
        assert hub.game(game.game_id) is topic
    assert not list(hub._due(time.monotonic() + 150))
    assert hub.game(game.game_id) is not topic


def test_finished_games_rematch_is_read_instead_of_the_game(games_table: str, meter: Meter) -> None:
    hub = Hub()
    *_, over = stages()
    topic = hub.game(over.game_id)

    def read(*topics: GameTopic) -> str:
        meter.calls.clear()
        run_aside(lambda: hub._read_games(list(topics)))
        assert meter.operations == ["BatchGetItem"]
        return topic.version

    assert read(topic) == read(topic) == "25"
    asked = store.rematch(over, player="bob", game_id=rematch_of(over.game_id))
    assert read(topic, hub.game(asked.game_id)) == "35"  # DynamoDB refuses to read an item twice in one request.
    offer = b'<p id="offer" class="row centred">'
    assert [offer in board(topic, viewer(name)) for name in ("alice", "bob")] == [True, False]
    store.decline(asked.game_id, player="alice")
    assert read(topic) == "25"


def test_hints_bring_and_take_away_a_rematch(games_table: str) -> None:
    hub = Hub()
    *_, over = stages()
    topic = hub.game(over.game_id)
    hub._take_game(over)
    assert topic.news(viewer("alice"), shown="35") is None  # That page knows of an offer that isn't known here yet.
    asked = store.rematch(over, player="bob", game_id=rematch_of(over.game_id))
    hub._take_game(asked)
    assert topic.version == "35"
    assert topic.news(viewer("alice"), shown="25")
    hub.take({"withdrawn": asked.game_id})
    assert (topic.version, topic.gone) == ("25", False)
    assert topic.news(viewer("alice"), shown="35")
    assert topic.news(viewer("alice"), shown="25") is None
    hub._take_game(asked)
    hub._take_game(store.accept(asked.game_id, player="alice"))
    assert topic.version == "25"


def test_hint_during_read_of_rematch_is_newer_than_what_was_read(
    games_table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    *_, over = stages()
    topic = hub.game(over.game_id)
    topic.take(over)
    asked = store.rematch(over, player="bob", game_id=rematch_of(over.game_id))

    def hinted(_: object) -> dict[str, StoredMatch]:
        hub._take_game(asked)
        return {}

    monkeypatch.setattr(queries, "games", hinted)
    run_aside(lambda: hub._read_games([topic]))
    assert topic.version == "35"


def test_players_of_a_finished_game_hear_of_a_rematch_for_ten_minutes() -> None:
    for ago, awaits in ((timedelta(minutes=9), True), (timedelta(minutes=11), False)):
        game = game_of(Status.FINISHED, 0, "alice", "bob", status_date=Status.FINISHED.dated(now() - ago)).match()
        topic = GameTopic(game.game_id)
        topic.take(game)
        assert (topic.awaits_rematch, topic.over) == (awaits, not awaits)
        topic.watchers.add(Watching(looking=True))
        assert not awaits or 5 < topic.pause() < 6  # seconds, although somebody looks at it


def test_expired_and_deleted_invitation_shows_as_expired() -> None:
    def taken(lifetime: int) -> GameTopic:
        topic = GameTopic("any")
        soon = int(datetime.now(UTC).timestamp()) + lifetime
        topic.take(game_of(Status.PENDING, 0, "alice", "bob", expires_at=soon).match())
        return topic

    withdrawn, removed = taken(60), taken(2)
    assert withdrawn.version == removed.version == "0"
    withdrawn.vanish()
    assert (withdrawn.version, withdrawn.gone) == ("0", True)
    time.sleep(2)
    removed.vanish()
    assert (removed.version, removed.gone, removed.over) == ("9", False, True)


def test_spectators_share_rendering_and_players_get_own_csrf_token(games_table: str) -> None:
    topic = GameTopic("any")
    topic.take([*stages()][1])
    assert topic.news(viewer(), "") is topic.news(viewer(), "")
    own, other = topic.news(viewer("bob", "token-one"), ""), topic.news(viewer("bob", "token-two"), "")
    assert own
    assert other
    assert b"token-one" in own
    assert own.replace(b"token-one", b"token-two") == other


def board(topic: GameTopic, watcher: Viewer) -> bytes:
    return topic.news(watcher, shown="") or b""


def test_hosts_link_has_the_address_by_which_they_reached_the_site() -> None:
    """Other viewers see no link, so they share one rendering whatever the address."""
    topic = GameTopic("any")
    topic.take(game_of(Status.PENDING, 0, "alice", "bob").match())
    bases = ("https://play.example/", "http://192.168.0.2:8080/")
    for base in bases:
        seen = board(topic, viewer("alice", base=base))
        assert [each.encode() in seen for each in bases] == [each == base for each in bases]
    assert board(topic, viewer(base=bases[0])) is board(topic, viewer(base=bases[1]))


def test_each_role_has_its_own_rendering() -> None:
    invitation, begun = Status.PENDING, Status.IN_PROGRESS
    parts = ('id="cancel"', 'id="accept"', 'id="decline"', 'name="as"', 'id="resign"', "data-mark")
    for status, opponent, roles in (
        (invitation, None, {"alice": 'id="cancel"', "bob": 'id="accept" data-mark', "": 'name="as"'}),
        (invitation, "bob", {"alice": 'id="cancel"', "bob": 'id="accept" id="decline" data-mark', "charlie": ""}),
        (begun, "bob", {"alice": 'id="resign"', "bob": 'id="resign" data-mark', "charlie": "", "": ""}),
    ):
        topic = GameTopic("any")
        topic.take(game_of(status, 0, "alice", opponent).match())
        for name, may in roles.items():
            seen = board(topic, viewer(name)).decode()
            assert {part for part in parts if part in seen} == set(may.split()), (opponent, name)


def test_lobby_updated_by_hints_equals_lobby_read(games_table: str) -> None:
    lobbies = {player: lists.newest(player, now()) for player in ("alice", "bob")}
    for game in stages():
        for player, lobby in lobbies.items():
            lobbies[player] = lists.with_game(lobby, player, game, now())
            assert (
                LobbyPage(lobbies[player], player, now()).version
                == LobbyPage(lists.newest(player, now()), player, now()).version
            )


def test_lobby_drops_cancelled_invitation_and_keeps_ten_finished(games_table: str) -> None:
    put([game_of(Status.FINISHED, second, "alice", "bob", result="Tie") for second in range(10)])
    invitation = store.invite(host="alice", opponent="bob")
    with_all = lists.with_game(lists.newest("alice", now()), "alice", [*stages()][-1], now())
    assert len(with_all.finished) == 10
    store.cancel(invitation.game_id, player="alice")
    without = lists.without_game(with_all, invitation.game_id)
    assert LobbyPage(without, "alice", now()).version == LobbyPage(lists.newest("alice", now()), "alice", now()).version


@pytest.mark.parametrize(("playing", "invited"), [(0, 0), (3, 2), (5, 60)])
@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
def test_reads_of_estimates_lobby_cost(games_table: str, meter: Meter, playing: int, invited: int) -> None:
    put([game_of(Status.IN_PROGRESS, second, "alice", "bob") for second in range(playing)])
    put([game_of(Status.PENDING, second, "bob", "alice") for second in range(invited)])
    meter.calls.clear()
    lobby = lists.newest("alice", now())
    units = meter.units("Query", "BatchGetItem")
    assert units * 2 <= lists.reads_of(lobby) <= units * 2 + 2


def test_topic_takes_renamed_player_at_same_version() -> None:
    game = game_of(Status.IN_PROGRESS, 0, "guest-aaaaaa", "bob")
    topic = GameTopic(game.game_id)
    topic.take(game.match())
    assert called("guest-aaaaaa").encode() in board(topic, viewer("charlie"))
    game.host_id = game.o_user = "dora"
    topic.take(game.match())
    assert b"dora" in board(topic, viewer("charlie"))


def test_new_invitation_with_expired_ones_id_is_shown() -> None:
    expired = game_of(Status.PENDING, 0, "alice", "bob", expires_at=1)
    topic = GameTopic(expired.game_id)
    topic.take(expired.match())
    assert (topic.version, topic.over) == ("9", True)
    again = game_of(Status.PENDING, 1, "alice", "bob")
    again.game_id = expired.game_id
    topic.take(again.match())
    assert (topic.version, topic.over) == ("0", False)
    topic.take(expired.match())
    assert topic.version == "0"


def test_late_hint_does_not_revert_lobby(games_table: str) -> None:
    *_, before, latest = itertools.islice(stages(), 5)
    topic = LobbyTopic("alice")
    topic.take(lists.newest("alice", now()), known_at=time.monotonic())
    topic.take_game(latest)
    version = topic.version
    topic.take_game(before)
    assert topic.version == version


def test_new_deadline_changes_lobby_version(games_table: str) -> None:
    game = game_of(Status.IN_PROGRESS, 0, "alice", "bob", turn="bob", pace=300, deadline=1_900_000_000).match()
    later = replace(game, deadline=1_900_000_300)
    shown = [LobbyPage(Lobby(playing=[each]), "alice", now()) for each in (game, later)]
    assert shown[0].version != shown[1].version


def test_lobby_that_may_be_older_than_clients_page_is_not_sent() -> None:
    """A hint updates one game of the lobby, so the others are still as old as the last read."""
    topic = LobbyTopic("alice")
    invitation = game_of(Status.PENDING, 0, "bob", "alice").match()
    topic.take(Lobby(), known_at=5.0)
    for change in (
        lambda: None,
        lambda: topic.take_game(invitation),
        lambda: topic.take_withdrawal(invitation.game_id),
    ):
        change()
        assert [topic.may_tell(joined_at) for joined_at in (4.9, 5.0, 5.1)] == [True, True, False]
    topic.take(Lobby(), known_at=5.1)
    assert topic.may_tell(5.1)


def read_lobby(hub: Hub, topic: LobbyTopic) -> None:
    run_aside(lambda: hub._read_lobby(topic))


def test_hint_during_lobby_read_is_newer_than_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    topic = hub.lobby("alice")
    invitation = game_of(Status.PENDING, 0, "bob", "alice").match()

    def hinted(*_: object) -> Lobby:
        topic.take_game(invitation)
        return Lobby()

    topic.take(Lobby(), known_at=0.0)
    empty = topic.version
    monkeypatch.setattr(lists, "newest", hinted)
    read_lobby(hub, topic)
    assert topic.version != empty
    monkeypatch.setattr(lists, "newest", lambda *_: Lobby())
    read_lobby(hub, topic)
    assert topic.version == empty


def test_lobby_is_as_old_as_the_start_of_its_read(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    topic = hub.lobby("alice")
    monkeypatch.setattr(lists, "newest", lambda *_: Lobby())
    topic.read_at = time.monotonic()
    read_lobby(hub, topic)
    assert topic.may_tell(topic.read_at)
    assert not topic.may_tell(topic.read_at + 1e-6)


def test_infinite_limit_of_files_allows_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS says that there's no limit, and refuses to raise the soft one above OPEN_MAX."""
    limits = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    assert application._files_allowed() == 10_240
    assert limits == [(10_240, resource.RLIM_INFINITY)]
