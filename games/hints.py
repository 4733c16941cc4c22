"""Hints: pages tell this server's ``live`` process what they have just written, in one datagram each.

They go through a Unix socket, the simplest local means, whose file only this user may use. Nothing depends on them: if
one is lost (nobody listens, or the buffer is full), the next read finds the change: within a second for a busy game.
"""

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from django.conf import settings

from games.match import Status, StoredMatch

Hint: TypeAlias = dict[str, Any]

# A game's item takes about 600 bytes.
MOST_BYTES = 65536
# How long a response may wait for a full queue.
FULL_SECONDS = 0.02

logger = logging.getLogger(__name__)


def changed(game: StoredMatch) -> None:
    _send({"game": asdict(game)})


def game_in(hint: Hint) -> StoredMatch:
    """Return the game from a ``changed`` hint. Raises KeyError, TypeError, ValueError for a malformed hint."""
    values = hint["game"]
    return StoredMatch(**values | {"stored_status": Status(values["stored_status"])})


def withdrawn(game_id: str) -> None:
    _send({"withdrawn": game_id})


def logged_out(player: str, **_: Any) -> None:
    """Receive ``accounts.signals.logged_out``: tell the ``live`` process that a session of the player's has ended."""
    _send({"logged_out": player})


def _send(hint: Hint) -> None:
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(FULL_SECONDS)
        sender.connect(settings.LIVE_SOCKET)
        sender.send(json.dumps(hint).encode())


def listen(take: Callable[[Hint], None]) -> Callable[[], None]:
    """Have the running loop call ``take`` for each hint. Return a function that stops it. Raises OSError."""
    path = Path(settings.LIVE_SOCKET)
    if path.is_socket():
        path.unlink()  # It's an earlier process's, which may still be ending its streams.
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    loop.add_reader(listener, _take_all, listener, take)

    def close() -> None:
        loop.remove_reader(listener)
        listener.close()

    return close


def _take_all(listener: socket.socket, take: Callable[[Hint], None]) -> None:
    """Empty the queue each time, as it's short: ten on most systems (net.unix.max_dgram_qlen)."""
    with suppress(BlockingIOError):
        while True:
            data = listener.recv(MOST_BYTES)
            try:
                take(json.loads(data))
            except (AttributeError, KeyError, TypeError, ValueError) as exc:
                logger.warning("A hint is invalid, so viewers wait for the next read of the table: %r", exc)
