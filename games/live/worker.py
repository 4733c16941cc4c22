"""gunicorn's ASGI worker, without its two endless waits: for open streams on SIGTERM, and for a first request."""

import asyncio
from typing import Any, cast

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

# As long as a phone on a bad line may need for a request's few packets.
FIRST_REQUEST_SECONDS = 10


class Connection(ASGIProtocol):
    """A connection that closes if no whole request comes in time. gunicorn starts this timer only after a request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        give_up = self._keepalive_timeout  # type: ignore[attr-defined]  # newer than the stubs
        self._keepalive_handle = asyncio.get_running_loop().call_later(FIRST_REQUEST_SECONDS, give_up)


# The worker offers no setting for its protocol class.
gasgi.ASGIProtocol = Connection  # type: ignore[attr-defined]


class Worker(gasgi.ASGIWorker):
    """A worker for an application with a ``close`` method: SIGTERM ends its streams."""

    def handle_exit_signal(self) -> None:
        super().handle_exit_signal()
        cast("Any", self.asgi).close()
