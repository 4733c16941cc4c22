"""Abusive clients: they break off, never read, or never send a whole request."""

import asyncio
import socket
import struct
from collections import Counter
from contextlib import suppress

from tests.support.streams import place, request

# The smallest receive buffer on Linux, so that it soon matters when a client never reads.
SMALL = 2048
# How many connections are kept; each new one replaces the oldest.
KEPT = 4000
ANSWER_SECONDS = 30


async def come_and_go(address: str, path: str, count: int, at_once: int) -> Counter[str]:
    """Open and close that many streams, in each of WAYS in turn; return the count by way and outcome."""
    doors = asyncio.Semaphore(at_once)
    gone: Counter[str] = Counter()

    async def one(number: int) -> None:
        way = WAYS[number % len(WAYS)]
        async with doors:
            gone[f"{way}, {await visit(address, path, way, number)}"] += 1

    await asyncio.gather(*map(one, range(count)))
    return gone


# A clean close, a close by RST, a close before reading the response, a close in the middle of the request's head, and a
# client that reads nothing for a second and then resets.
WAYS = ("leaves", "resets", "does not wait", "says half of it", "never reads")


async def visit(address: str, path: str, way: str, number: int) -> str:
    """Make one connection; return its outcome."""
    asked = request(address, path, forwarded=f"10.9.{number >> 8 & 255}.{number & 255}")
    connection = await connected(address, small=way == "never reads")
    try:
        await send(connection, asked[: len(asked) // 2] if way == "says half of it" else asked)
        if way == "never reads":
            await asyncio.sleep(1)
        elif way in ("leaves", "resets"):
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await asyncio.get_running_loop().sock_recv(connection, 1 << 16)
            return answer.split(b" ", 2)[1].decode() if answer else "no answer"
    except (OSError, TimeoutError) as exc:
        return type(exc).__name__
    finally:
        close(connection, reset=way in ("resets", "never reads"))
    return "not asked"


async def flood(address: str, path: str, done: Counter[str]) -> None:
    """Connect as fast as possible until cancelled, and never read: half ask for events, half never ask."""
    kept: list[socket.socket] = []

    async def hurry(number: int) -> None:
        while True:
            asks = sum(done.values()) % 2 == 0
            with suppress(OSError):
                connection = await connected(address, small=True)
                kept.append(connection)
                if asks:
                    await send(connection, request(address, path, forwarded=f"10.8.{number}.{done.total() & 255}"))
            done["asked" if asks else "silent"] += 1
            while len(kept) > KEPT:
                close(kept.pop(0), reset=True)

    try:
        await asyncio.gather(*map(hurry, range(50)))
    finally:
        for connection in kept:
            close(connection, reset=True)


async def hold(address: str, path: str, kinds: dict[str, int]) -> list[socket.socket]:
    """Open and return idle connections of the kinds in IDLE.

    Only the server can tell whether it has closed them: the kernel drops connections silently.
    """
    asked = request(address, path)
    held = []
    for kind, count in kinds.items():
        for _ in range(count):
            held.append(await connected(address, small=True))
            await send(held[-1], asked[: int(len(asked) * IDLE[kind])])
    return held


# The share of its request that each sends.
IDLE = {"never reads": 1.0, "says half of it": 0.5, "says nothing": 0.0}


async def connected(address: str, *, small: bool) -> socket.socket:
    connection = socket.socket()
    connection.setblocking(False)
    if small:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    try:
        await asyncio.get_running_loop().sock_connect(connection, place(address))
    except BaseException:
        connection.close()
        raise
    return connection


async def send(connection: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(connection, data)


def close(connection: socket.socket, *, reset: bool) -> None:
    if reset:  # RST instead of FIN, by a linger time of 0 (socket(7))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
