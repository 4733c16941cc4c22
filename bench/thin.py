"""A minimal ASGI application for event streams. bench/servers.py runs it under each server.

GET answers with a stream that has a comment every 15 s. POST sends one event, as large as a board, to all streams.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

COMMENT_SECONDS = 15
EVENT = b"event: board\nid: 13\n" + b"data: <div>what a game's fragment may hold, line by line</div>\n" * 45 + b"\n"
HEADERS = [(b"content-type", b"text/event-stream")]

streams: set["Client"] = set()

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Client:
    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.gone = False

    async def listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self.woken.set()

    async def run(self, send: Send) -> None:
        await body(send, b"retry: 1000\n\n")
        while not self.gone:
            try:
                async with asyncio.timeout(COMMENT_SECONDS):
                    await self.woken.wait()
            except TimeoutError:
                await body(send, b":\n\n")
                continue
            self.woken.clear()
            if not self.gone:
                await body(send, EVENT)


async def body(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    stream = scope["method"] == "GET"
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    if not stream:
        for client in streams:
            client.woken.set()
        return await body(send, b"sent\n", more=False)
    client = Client()
    streams.add(client)
    listener = asyncio.create_task(client.listen(receive))
    try:
        await client.run(send)
    finally:
        streams.discard(client)
        listener.cancel()


async def lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
