"""The hub of a ``live`` process keeps the topics, reads together those that are due, and applies hints."""

import asyncio
import contextvars
import logging
import math
import random
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from django.utils import timezone

from dynamodb import retries
from games import hints
from games.errors import NotFound, UnreadableGame
from games.hints import Hint
from games.live import schedule
from games.live.topics import GameTopic, LobbyTopic, Topic, Watcher
from games.match import StoredMatch
from games.storage import lobby as lobbies
from games.storage import queries

TICK_SECONDS = 0.05
READERS = 8
# A game that is over costs one read a minute, however often somebody requests its events.
KEEP_OVER_SECONDS = 60
# After a hint the index may still lag, and an immediate read would bring the old lobby back.
INDEX_LAG_SECONDS = 1.0
LONGEST_PUT_OFF_SECONDS = 5.0

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Hub:
    def __init__(self) -> None:
        self._games: dict[str, GameTopic] = {}
        self._by_rematch: dict[str, GameTopic] = {}  # the same, by the id of the game's rematch
        self._lobbies: dict[str, LobbyTopic] = {}
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="live")
        self._reading: set[asyncio.Task[None]] = set()

    def game(self, game_id: str) -> GameTopic:
        if game_id not in self._games:
            topic = self._games[game_id] = GameTopic(game_id)
            self._by_rematch[topic.rematch_id] = topic
        return self._games[game_id]

    def lobby(self, player: str) -> LobbyTopic:
        return self._lobbies.get(player) or self._lobbies.setdefault(player, LobbyTopic(player))

    def open_now(self) -> dict[str, int]:
        return {"games": len(self._games), "lobbies": len(self._lobbies)}

    def join(self, topic: Topic, watcher: Watcher, *, shown: str) -> None:
        """Read the topic now (at most once a second) if the watcher looks at it, or shows a version not known here."""
        # Others reconnect every five minutes with the version they were sent. If each of them caused a read, a topic
        # with many watchers would cost a read a second for ever.
        topic.watchers.add(watcher)
        earliest = topic.read_at + schedule.pause(quiet=0, looked_at=True, reads=topic.reads)
        if not topic.over and earliest < topic.due and (watcher.looking or not topic.knows(shown)):
            topic.due = earliest

    async def run(self) -> None:
        """Read what is due, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            due = list(self._due(time.monotonic()))
            games = [topic for topic in due if isinstance(topic, GameTopic)]
            for start in range(0, len(games), queries.MOST_AT_ONCE):
                together = games[start : start + queries.MOST_AT_ONCE]
                self._start(self._read_games(together), together)
            for topic in due:
                if isinstance(topic, LobbyTopic):
                    self._start(self._read_lobby(topic), [topic])

    def take(self, hint: Hint) -> None:
        """Apply a hint from this server's pages. Raises various errors for a malformed hint."""
        if "game" in hint:
            self._take_game(hints.game_in(hint))
        if "withdrawn" in hint:
            for topic in self._topics_of(hint["withdrawn"]):
                topic.vanish()
            for lobby in self._lobbies.values():
                if lobby.take_withdrawal(hint["withdrawn"]):
                    self._let_index_follow(lobby)

    def _take_game(self, game: StoredMatch) -> None:
        for topic in self._topics_of(game.game_id):
            if topic.gone:
                self._forget(topic)  # The id of a cancelled invitation may be used again.
            else:
                topic.take(game)
                topic.due = min(topic.due, time.monotonic() + topic.pause())
        for player in game.players:
            if lobby := self._lobbies.get(player or ""):
                lobby.take_game(game)
                self._let_index_follow(lobby)

    def _topics_of(self, game_id: str) -> list[GameTopic]:
        """Return the topics of the game, and of the one that it's the rematch of."""
        return [topics[game_id] for topics in (self._games, self._by_rematch) if game_id in topics]

    def _let_index_follow(self, lobby: LobbyTopic) -> None:
        """Read the lobby a little later, but don't let one hint after another put that off for ever."""
        later = time.monotonic() + INDEX_LAG_SECONDS
        if lobby.due < later < lobby.read_at + LONGEST_PUT_OFF_SECONDS:
            lobby.due = later

    def _due(self, now: float) -> Iterator[Topic]:
        topics: list[Topic] = [*self._games.values(), *self._lobbies.values()]
        for topic in topics:
            if topic.due > now:
                continue
            if topic.watchers and not topic.over:
                topic.read_at = now
                topic.due = math.inf  # until the read ends
                yield topic
            # The id of a game that is gone may be used again, so it isn't kept.
            elif topic.watchers or (topic.over and not topic.gone and now < topic.read_at + KEEP_OVER_SECONDS):
                topic.due = now + KEEP_OVER_SECONDS
            else:  # Only now: somebody who came back earlier costs no read.
                self._forget(topic)

    def _forget(self, topic: Topic) -> None:
        topics: dict[str, Any] = self._games if isinstance(topic, GameTopic) else self._lobbies
        if topics.get(topic.key) is topic:  # not a newer topic for a reused id
            del topics[topic.key]
            if isinstance(topic, GameTopic):
                del self._by_rematch[topic.rematch_id]

    def _next(self, topic: Topic) -> None:
        topic.due = min(topic.due, topic.read_at + topic.pause())

    async def _read_games(self, topics: list[GameTopic]) -> None:
        asked = [(topic, topic.rematch_id if topic.awaits_rematch else topic.key, topic.changed_at) for topic in topics]
        found = await self.in_thread(lambda: queries.games(list({game_id for _, game_id, _ in asked})))
        for topic, game_id, changed_at in asked:
            if game_id == topic.key and game_id not in found:
                self._start(self._look_closer(topic), [topic])
            elif topic.changed_at == changed_at:
                self._understood(topic, found.get(game_id))
            else:  # A hint during the read is newer.
                self._next(topic)

    async def _look_closer(self, topic: GameTopic) -> None:
        """Read the game consistently: an eventually consistent read may have missed it."""
        game = None
        with suppress(NotFound, UnreadableGame):
            game = await self.in_thread(lambda: queries.game(topic.key))
        self._understood(topic, game)

    async def _read_lobby(self, topic: LobbyTopic) -> None:
        hinted = topic.changed_at
        found = await self.in_thread(lambda: lobbies.newest(topic.key, timezone.now()))
        topic.trouble(False)
        if topic.changed_at == hinted:  # A hint during the read is newer.
            topic.take(found, known_at=topic.read_at)
        self._next(topic)

    def _understood(self, topic: GameTopic, game: StoredMatch | None) -> None:
        topic.trouble(False)
        if game:
            topic.take(game)
        else:
            topic.vanish()  # The page reloads and explains what's wrong.
        self._next(topic)

    async def in_thread(self, read: Callable[[], T]) -> T:
        """Return what ``read`` returns, in the time that a request may take."""
        bounded = retries.within(retries.REQUEST_SECONDS)(read)
        context = contextvars.copy_context()  # dynamodb.metering counts in it
        return await asyncio.get_running_loop().run_in_executor(self._readers, context.run, bounded)

    def _start(self, work: Coroutine[Any, Any, None], topics: Sequence[Topic]) -> None:
        """Start a read of the topics. If it fails for any reason, read them again."""

        def done(task: asyncio.Task[None]) -> None:
            self._reading.discard(task)
            if task.cancelled() or not (exc := task.exception()):
                return
            if not all(topic.in_trouble for topic in topics):
                logger.error("%s", exc or repr(exc))
            for topic in topics:
                topic.trouble(True)
                topic.due = time.monotonic() + random.uniform(1, 2)

        task = asyncio.get_running_loop().create_task(work)
        self._reading.add(task)
        task.add_done_callback(done)
