"""The ASGI application of ``live``: two URLs, without Django's own handler, which takes three times the memory."""

import asyncio
import logging
import math
import re
import resource
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.urls import Resolver404, resolve

from accounts import generations
from dynamodb import metering
from games import hints
from games.errors import GONE
from games.live import presence
from games.live.hub import Hub
from games.live.streams import Stream
from games.live.topics import Topic
from games.live.viewers import Viewer, viewer_of
from tictactoe_site.http import Refusal

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

FIRST_READ_SECONDS = 5
REPORT_SECONDS = 60
# Each send releases the GIL, and gets it back from a thread that is parsing a reply only after this time. With the
# default of 5 ms, 200 sends would take a second.
SWITCH_SECONDS = 0.0002
# File descriptors for all but streams: connections to DynamoDB, refused clients that linger, Python itself.
OTHER_FILES = 100
# macOS says that there's no limit, and refuses more than this (OPEN_MAX in its sys/syslimits.h).
MOST_FILES = 10_240
# A school or an office may share one address.
STREAMS_PER_CLIENT = 500
THIS_MACHINE = ("127.0.0.1", "::1")
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # tells nginx not to buffer events
]

logger = logging.getLogger(__name__)


class Live:
    def __init__(self) -> None:
        self._hub = Hub()
        self._streams: set[Stream] = set()
        self._addresses: Counter[str] = Counter()
        self._closing = False
        self._most = 0

    def serves(self, path: str) -> bool:
        """Whether this is one of the paths that nginx sends here (.platform/nginx)."""
        return bool(re.fullmatch(r"/(games/[0-9a-f-]+/)?events/", path))

    def close(self) -> None:
        """End all streams. Their clients reconnect, each after a random pause."""
        self._closing = True
        for stream in self._streams:
            stream.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            send = partial(_send_safely, send, scope.get("scheme") == "https")
            try:
                await self._answer(scope, receive, send)
            except Refusal as refusal:
                text = "" if scope["method"] == "HEAD" else f"{refusal}\n"
                await _send_whole(send, refusal.status, text, refusal.wait)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Read what is watched and take hints, from the process's start to its end."""
        await receive()
        self._most = min(settings.STREAMS_PER_PROCESS, _files_allowed() - OTHER_FILES)
        sys.setswitchinterval(SWITCH_SECONDS)
        with metering.measured() as usage, ExitStack() as work:
            work.callback(asyncio.create_task(self._hub.run()).cancel)
            work.callback(asyncio.create_task(self._report(usage)).cancel)
            try:
                work.callback(hints.listen(self._take))
            except OSError as exc:
                logger.warning("This process can't receive hints from the pages (%s: %s)", settings.LIVE_SOCKET, exc)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _report(self, usage: metering.Usage) -> None:
        """Log the number of streams and their cost in DynamoDB each minute, unless there are no streams or calls."""
        while True:
            before = replace(usage)
            await asyncio.sleep(REPORT_SECONDS)
            counts = {"streams": len(self._streams), **self._hub.open_now()}
            calls, units = usage.calls - before.calls, usage.read_units - before.read_units
            if calls or any(counts.values()):
                fields = {**counts, "dynamodb_calls": calls, "read_units": units}
                said = ", ".join(f"{name} {value:g}" for name, value in fields.items())
                logger.info("%s", said, extra={"fields": fields})

    def _take(self, hint: hints.Hint) -> None:
        if "logged_out" in hint:
            generations.forget(hint["logged_out"])
            for stream in self._streams:
                if stream.viewer.name == hint["logged_out"]:
                    stream.end()
        self._hub.take(hint)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/healthz/":
            return await _send_whole(send, 200, "ok\n")
        if scope["method"] != "GET":
            raise Refusal("Event streams are only there to GET.", 405)
        if settings.SETUP_PROBLEM:
            raise Refusal(settings.SETUP_PROBLEM, 503, wait=60)
        try:
            viewer = await self._hub.in_thread(lambda: viewer_of(scope))
        except (SuspiciousOperation, ValueError, LookupError) as exc:  # or what Django can't decode
            raise Refusal("This is no request that the site answers.") from exc
        stream = Stream(viewer, self._topic(scope["path"], viewer), send)
        with self._counted(stream):
            await _known(stream.topic)
            await _serve(stream, receive, send)
        return None

    def _topic(self, path: str, viewer: Viewer) -> Topic:
        with suppress(Resolver404):
            match = resolve(path)
            if match.view_name == "game_events":
                return self._hub.game(str(match.kwargs["game_id"]))
            if match.view_name == "events" and viewer.name:
                return self._hub.lobby(viewer.name)
            if match.view_name == "events":
                raise Refusal("Log in, or play as a guest: the lobby is for players.", 403)
        raise Refusal("There are no events here.", 404)

    @contextmanager
    def _counted(self, stream: Stream) -> Iterator[None]:
        """Count the stream for the process and for its address while the block runs. Raises Refusal."""
        address = stream.viewer.address
        if self._closing:
            raise Refusal("This server is being restarted: connect again in a moment.", 503, wait=1)
        if len(self._streams) >= self._most:
            raise Refusal("This server has all the streams it can hold: the page asks instead.", 503, wait=30)
        # Behind a proxy this is a client's. This machine's own has no limit unless one is set.
        usual = math.inf if address in THIS_MACHINE else STREAMS_PER_CLIENT
        if self._addresses[address] >= (settings.STREAMS_PER_ADDRESS or usual):
            raise Refusal("Your address has all the streams it may have: the page asks instead.", 503, wait=30)
        self._streams.add(stream)
        self._addresses[address] += 1
        self._hub.join(stream.topic, stream, shown=stream.viewer.since)
        if presence.came(stream.viewer.name) and stream.topic.version:
            stream.topic.wake()
        try:
            yield
        finally:
            stream.topic.watchers.discard(stream)
            presence.left(stream.viewer.name, closed=stream.has_gone)
            if stream.has_gone:  # Tell the other once that is certain. The loop has another clock.
                asyncio.get_running_loop().call_later(presence.AFTER.seconds + 1, stream.topic.wake)
            self._streams.discard(stream)
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]


def _files_allowed() -> int:
    """Raise this process's limit of file descriptors as far as allowed and return it: the usual limit is only 1,024."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = MOST_FILES if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


async def _known(topic: Topic) -> None:
    """Wait for the topic's first read. Raises Refusal if there is nothing to watch."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_READ_SECONDS):
            await topic.first_read.wait()
    if topic.gone:
        raise Refusal(GONE, 404)
    if not topic.version:
        raise Refusal("The games can't be reached just now: the page tries again.", 503, wait=2)


async def _serve(stream: Stream, receive: Receive, send: Send) -> None:
    if stream.topic.over_for(stream.viewer) and stream.is_up_to_date:
        return await _send_whole(send, 204, "")  # tells an EventSource not to reconnect
    await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
    leaving = asyncio.create_task(_until_left(stream, receive))
    try:
        await stream.run()
        await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        raise asyncio.CancelledError from None  # The server closes the connection quietly.
    finally:
        leaving.cancel()


async def _until_left(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.leave()


async def _send_safely(send: Send, encrypted: bool, message: dict[str, Any]) -> None:
    """Add the headers that Django's SecurityMiddleware gives to pages."""
    if message["type"] == "http.response.start":
        hsts = f"max-age={settings.SECURE_HSTS_SECONDS}".encode()
        more = [(b"strict-transport-security", hsts)] if encrypted and settings.SECURE_HSTS_SECONDS else []
        message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff"), *more]
    await send(message)


async def _send_whole(send: Send, status: int, text: str, retry_after: int | None = None) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if retry_after:
        headers.append((b"retry-after", str(retry_after).encode()))
    if status != 204:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
