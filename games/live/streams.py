"""A stream: one browser's connection, from its first byte to its last."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from games.live import fragments
from games.live.topics import Topic, Watcher
from games.live.viewers import Viewer

# Proxies close a connection that is silent for a minute: an AWS load balancer after 60 s by default.
COMMENT_SECONDS = 15
# Behind a proxy that keeps events back, a page closes its stream earlier, and polls (FIRST_BYTES in stream.js).
FIRST_SECONDS = 10
# A stream lasts about five minutes. The next one notices a logout elsewhere, and reaches a new process.
LIFE_SECONDS = 300
# A client that takes no data for this long is gone.
SEND_SECONDS = 20
# A random pause for each stream, so that they don't all reconnect at once after a restart.
RETRY_MILLISECONDS = (500, 2500)


class Stream(Watcher):
    """A stream to one client. ``send`` is the ASGI server's."""

    def __init__(self, viewer: Viewer, topic: Topic, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self.viewer = viewer
        self.topic = topic
        self.looking = viewer.looking
        self.has_gone = False
        self._send_event = send
        self._shown = viewer.since
        self._joined_at = time.monotonic()
        self._told_of_trouble = False
        self._told_absence = ""
        self._ended = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    @property
    def is_up_to_date(self) -> bool:
        return not self.topic.gone and self.topic.news(self.viewer, self._shown) is None

    def leave(self) -> None:
        """Note that the client has closed the connection. ``has_gone``: perhaps the player has gone, too."""
        lasted = time.monotonic() - self._joined_at
        self.has_gone = lasted > FIRST_SECONDS and not self.viewer.has_other_servers
        self.end()

    def end(self) -> None:
        """Send nothing more. The client may reconnect, and is then authenticated again."""
        self._ended = True
        self._woken.set()

    async def run(self) -> None:
        """Send events until the topic is over or the stream's time is up. Raises TimeoutError for a stalled client."""
        await self._send(f"retry: {random.randint(*RETRY_MILLISECONDS)}\n\n".encode())
        end = time.monotonic() + LIFE_SECONDS * random.uniform(0.8, 1.2)
        while not self._ended and time.monotonic() < end:
            self._woken.clear()
            for message in self._news():
                await self._send(message)
            if self.topic.over_for(self.viewer):
                return
            try:
                async with asyncio.timeout(min(COMMENT_SECONDS, end - time.monotonic())):
                    await self._woken.wait()
            except TimeoutError:
                await self._send(fragments.COMMENT)

    async def _send(self, message: bytes) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._send_event({"type": "http.response.body", "body": message, "more_body": True})

    def _news(self) -> Iterator[bytes]:
        may_be_told = not self._shown or self.topic.may_tell(self._joined_at)
        if self.topic.in_trouble is not self._told_of_trouble:
            self._told_of_trouble = self.topic.in_trouble
            yield fragments.event("trouble" if self._told_of_trouble else "recovered")
        if self.topic.gone:
            yield fragments.event("gone")
        elif may_be_told and (message := self.topic.news(self.viewer, self._shown)):
            self._shown = self.topic.version
            yield message
        if (absence := self.topic.absence(self.viewer)) != self._told_absence:
            self._told_absence = absence
            yield fragments.event("away", absence)
