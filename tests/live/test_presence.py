"""Who is told that the other player is away, tested without a server process."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from games.live import presence
from games.live.streams import Stream
from games.live.topics import GameTopic
from games.match import Status, StoredMatch
from tests.live.test_topics import viewer
from tests.support.many import game_of


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody is there, and who leaves is away at once."""
    monkeypatch.setattr(presence, "AFTER", timedelta())
    yield
    presence._streams.clear()
    presence._left.clear()


@pytest.fixture
def game() -> StoredMatch:
    return game_of(Status.IN_PROGRESS, 0, "alice", "bob").match()


@pytest.fixture
def topic(game: StoredMatch) -> GameTopic:
    topic = GameTopic("any")
    topic.take(game)
    return topic


def bob_leaves() -> None:
    presence.came("bob")
    presence.left("bob", closed=True)


def told(topic: GameTopic, *names: str) -> list[str]:
    """Return to which of the players an absence is told."""
    return [name for name in names if topic.absence(viewer(name)).startswith("bob has been away since 20")]


def test_player_is_away_once_the_last_page_is_closed_until_they_are_back(topic: GameTopic) -> None:
    """The other page may show another game, or the lobby."""
    assert [presence.came("bob"), presence.came("bob")] == [False, False]
    presence.left("bob", closed=True)
    assert told(topic, "alice") == []
    presence.left("bob", closed=True)
    assert told(topic, "alice") == ["alice"]
    assert presence.came("bob")
    assert told(topic, "alice") == []


def test_stream_that_we_end_is_expected_back(topic: GameTopic) -> None:
    presence.came("bob")
    presence.left("bob", closed=False)
    assert told(topic, "alice") == []


def test_first_seconds_are_nobodys_business(topic: GameTopic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "AFTER", timedelta(hours=1))
    bob_leaves()
    assert told(topic, "alice") == []


def test_only_the_other_player_of_a_running_game_is_told(topic: GameTopic, game: StoredMatch) -> None:
    bob_leaves()
    assert told(topic, "alice", "bob", "charlie", "") == ["alice"]
    topic.take(replace(game, stored_status=Status.FINISHED, stored_result="alice"))
    assert told(topic, "alice") == []


def test_player_who_moves_is_not_away(topic: GameTopic, game: StoredMatch) -> None:
    """They may have no stream, because a proxy keeps it from them."""
    bob_leaves()
    first = game.played("bob", 4)
    topic.take(replace(game, pace=300))  # a change that is no move
    assert told(topic, "alice") == ["alice"]
    topic.take(first)
    assert told(topic, "alice") == []
    bob_leaves()
    topic.take(first.played("alice", 0))
    assert told(topic, "alice") == ["alice"]


def test_absences_are_forgotten_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "REMEMBERED", 1)
    for name in ("bob", "charlie", ""):
        presence.came(name)
        presence.left(name, closed=True)
    assert list(presence._left) == ["charlie"]
    assert not presence._streams


@pytest.mark.parametrize(("lasted", "elsewhere", "gone"), [(11, False, True), (9, False, False), (11, True, False)])
def test_who_has_gone_is_known_without_buffering_proxy_and_balancer(
    lasted: float, elsewhere: bool, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(message: object) -> None:
        """Do nothing."""

    stream = Stream(viewer("bob")._replace(has_other_servers=elsewhere), GameTopic("any"), send)
    began = stream._joined_at
    monkeypatch.setattr("games.live.streams.time.monotonic", lambda: began + lasted)
    stream.leave()
    assert stream.has_gone is gone
