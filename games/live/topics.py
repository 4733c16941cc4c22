"""Topics: the state of a watched game or open lobby, which never goes back in time, and the events for its viewers."""

import asyncio
import re
import time
from typing import Protocol

from django.utils import timezone

from accounts.names import called
from games.live import fragments, presence, schedule
from games.live.viewers import Viewer
from games.match import Status, StoredMatch
from games.pages.game import GamePage
from games.pages.lobby import LobbyPage
from games.signing import rematch_of
from games.storage import lobby as lobbies
from games.storage.lobby import Lobby

_VERSION = re.compile("[0-9]{1,2}")


class Topic:
    """The state that all watchers of one game or lobby share. ``wake`` tells each of ``watchers`` about news."""

    reads = 1

    def __init__(self, key: str) -> None:
        self.key = key
        self.watchers: set[Watcher] = set()
        self.version = ""  # empty until the first read
        self.first_read = asyncio.Event()  # set after it, even if it failed
        self.gone = False
        self.is_final = False
        self.awaits_rematch = False  # It's over, and somebody may offer a rematch, or withdraw it.
        self.in_trouble = False
        self.due = 0.0  # when to read it next, of time.monotonic(): at once
        self.read_at = 0.0
        self.changed_at = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether nothing more can happen."""
        return self.gone or self.is_final

    def over_for(self, viewer: Viewer) -> bool:
        """Whether nothing more can happen that this viewer is told."""
        return self.over

    def absence(self, viewer: Viewer) -> str:
        """Say since when the opponent has been away, with the time last; empty if that isn't known."""
        return ""

    def pause(self) -> float:
        """Return the seconds until the next read. There's less hurry for a rematch."""
        looked_at = any(watcher.looking for watcher in self.watchers) and not self.awaits_rematch
        quiet = time.monotonic() - self.changed_at + self.awaits_rematch * schedule.HOT_FOR_SECONDS
        return schedule.pause(quiet=quiet, looked_at=looked_at, reads=self.reads)

    def news(self, viewer: Viewer, shown: str) -> bytes | None:
        """Return the event for a viewer whose page shows the version ``shown``; None if that is up to date."""
        raise NotImplementedError

    def knows(self, shown: str) -> bool:
        """Whether the known state is at least as new as a page that shows this version."""
        return bool(self.version) and shown == self.version

    def may_tell(self, joined_at: float) -> bool:
        """Whether the known state is at least as new as the page of somebody who joined at that time."""
        return True

    def wake(self) -> None:
        self.first_read.set()
        for watcher in self.watchers:
            watcher.wake()

    def vanish(self) -> None:
        self.gone = True
        self.wake()

    def trouble(self, now: bool) -> None:
        """Note whether the table can't be read, and wake the watchers if that has changed."""
        if self.in_trouble is not now:
            self.in_trouble = now
            self.wake()

    def _changed(self, version: str) -> None:
        self.version = version
        self.changed_at = time.monotonic()
        self.wake()


class Watcher(Protocol):
    """Somebody who watches a topic. ``looking`` is whether they have it on their screen."""

    looking: bool

    def wake(self) -> None: ...


class GameTopic(Topic):
    """A game. When it has just ended, its rematch is read instead, to tell its players of an offer."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.rematch_id = rematch_of(key)
        self._highest = 0  # of the versions so far
        self._game: StoredMatch | None = None
        self._rematch: StoredMatch | None = None
        self._boards: dict[tuple[str, str], bytes] = {}

    def absence(self, viewer: Viewer) -> str:
        game = self._game
        if game is None or game.status is not Status.IN_PROGRESS or viewer.name not in game.players:
            return ""
        other = game.other_than(viewer.name) or ""
        since = presence.away_since(other)
        return f"{called(other)} has been away since {since.isoformat(timespec='seconds')}" if since else ""

    def take(self, game: StoredMatch) -> None:
        """Take the game, or its rematch, as read or hinted, unless the known one is newer."""
        if game.game_id == self.rematch_id:
            self._rematch = game
        elif self._game is None or (game != self._game and _is_newer(game, self._game)):
            if self._game and self._game.board != game.board:
                presence.is_back(self._game.whose_turn or "")  # Whoever moves is there, perhaps without a stream.
            self._game = game
            self._boards.clear()
        self._look()

    def _look(self) -> None:
        """Take the page's version. It may change without a write, because an invitation expires by itself."""
        if self._game is None:
            return
        page = self._page(self._rematch.opponent_id if self._rematch else self._game.host)
        self.awaits_rematch, self.is_final = page.hopes, page.is_final and not page.hopes
        if str(page.version) != self.version:
            self._boards.clear()
            self._highest = max(self._highest, page.version)
            self._changed(str(page.version))

    def vanish(self) -> None:
        """Forget a rematch. Mark the game as gone, unless it's over, or expired before DynamoDB removed it."""
        self._rematch = None
        self._look()
        if not (self.is_final or self.awaits_rematch):
            super().vanish()

    def over_for(self, viewer: Viewer) -> bool:
        return self.over or (self.awaits_rematch and not self._page(viewer.name).is_player)

    def knows(self, shown: str) -> bool:
        return bool(self.version and _VERSION.fullmatch(shown)) and int(shown) <= int(self.version)

    def news(self, viewer: Viewer, shown: str) -> bytes | None:
        if self.version in ("", shown) or (_VERSION.fullmatch(shown) and int(shown) > self._highest):
            return None
        return fragments.for_viewer(self._board(viewer), viewer)

    def _board(self, viewer: Viewer) -> bytes:
        page = self._page(viewer.name)
        relation = "host" if page.is_host else "opponent" if page.is_opponent else "player" if viewer.name else ""
        base = viewer.base if page.is_pending and page.is_host else ""  # only the host sees a link
        if (relation, base) not in self._boards:
            self._boards[relation, base] = fragments.board(page, base)
        return self._boards[relation, base]

    def _page(self, viewer: str | None) -> GamePage:
        assert self._game
        return GamePage(self._game, viewer or "", timezone.now(), self._rematch)


class LobbyTopic(Topic):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self._lobby = Lobby()
        self._message = b""
        self._known_at = 0.0

    @property
    def reads(self) -> int:  # type: ignore[override]
        """The half read units per look: pages of both indexes' queries, and the boards in progress."""
        return lobbies.reads_of(self._lobby)

    def may_tell(self, joined_at: float) -> bool:
        """Whether the lobby was read after the newcomer joined: we can't tell which of two lobbies is newer."""
        return self._known_at >= joined_at

    def take(self, lobby: Lobby, *, known_at: float) -> None:
        page = LobbyPage(lobby, self.key, timezone.now())
        self._lobby, self._known_at = lobby, known_at
        self.wake()
        if page.version != self.version:
            self._message = fragments.lobby(page)
            self._changed(page.version)

    def take_game(self, game: StoredMatch) -> None:
        """Put one game's new state into the lobby, without a read."""
        if self.version:
            self.take(lobbies.with_game(self._lobby, self.key, game, timezone.now()), known_at=self._known_at)

    def take_withdrawal(self, game_id: str) -> bool:
        """Remove a withdrawn invitation. Return whether the lobby had it."""
        had = any(game.game_id == game_id for game in self._lobby.games)
        if had:
            self.take(lobbies.without_game(self._lobby, game_id), known_at=self._known_at)
        return had

    def news(self, viewer: Viewer, shown: str) -> bytes | None:
        return fragments.for_viewer(self._message, viewer) if self.version not in ("", shown) else None


def _is_newer(game: StoredMatch, known: StoredMatch) -> bool:
    """Whether the game is at least as new as the known one. An expired rematch invitation's id may be reused."""
    if known.stored_status is game.stored_status is Status.PENDING:
        return game.status_date >= known.status_date
    versions = [GamePage(each, "", timezone.now()).version for each in (game, known)]
    return versions[0] >= versions[1]
