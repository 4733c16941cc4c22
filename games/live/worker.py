"""gunicorn's ASGI worker, which waits without end for open streams on SIGTERM and for a connection's first request."""

import asyncio
from typing import Protocol, cast

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

# As long as a phone on a bad line may take for the few packets of a request.
FIRST_REQUEST_SECONDS = 10


class Closable(Protocol):
    def close(self) -> None: ...


class Connection(ASGIProtocol):
    """Is closed where no whole request came in time. gunicorn's own timer, which any request stops, starts later."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        give_up = self._keepalive_timeout  # type: ignore[attr-defined]  # newer than the stubs
        self._keepalive_handle = asyncio.get_running_loop().call_later(FIRST_REQUEST_SECONDS, give_up)


# The worker has no other place that says which protocol it is to speak.
gasgi.ASGIProtocol = Connection  # type: ignore[attr-defined]


class Worker(gasgi.ASGIWorker):
    """For an application that can be closed: SIGTERM ends its streams."""

    def handle_exit_signal(self) -> None:
        super().handle_exit_signal()
        cast("Closable", self.asgi).close()
