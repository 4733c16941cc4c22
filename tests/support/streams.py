"""A client for server-sent events independent of the site: sockets, HTTP/1.1 and the HTML standard, no more.

A Stream calls a method for each event, and is cheap enough for ten thousand in one process.
"""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    id: str
    data: str
    at: float  # time.monotonic(), shared by all processes of a machine


class Parser:
    """Parses bytes into events (HTML standard, section 9.2.6). ``retry`` is the server's latest, in milliseconds."""

    __slots__ = ("_data", "_name", "_rest", "comments", "last_id", "retry")

    def __init__(self, last_id: str = "") -> None:
        self._rest = b""
        self._name = ""
        self._data: list[str] = []
        self.last_id = last_id
        self.retry = 3000
        self.comments = 0

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes complete."""
        found: list[Event] = []
        lines = (self._rest + data).splitlines(keepends=True)
        # A final carriage return may be the first half of a line ending.
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            if text := line.rstrip(b"\r\n").decode():
                self._take(text)
            else:
                found += self._dispatched()
        return found

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            self.comments += 1
        elif name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isdecimal():
            self.retry = int(value)

    def _dispatched(self) -> list[Event]:
        found = [Event(self._name or "message", self.last_id, "\n".join(self._data), time.monotonic())]
        complete = found if self._data else []
        self._name, self._data = "", []
        return complete


class Chunks:
    """Decodes the chunked transfer coding (RFC 9112, section 7.1)."""

    __slots__ = ("_left", "_rest", "ended")

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0  # of the current chunk, including its line ending
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        data, found = self._rest + data, []
        while data and not self.ended:
            if not self._left:
                head, end, data = data.partition(b"\r\n")
                if not end:
                    data = head
                    break
                size = int(head.partition(b";")[0], 16)
                self._left, self.ended = size + 2, not size
                continue
            found.append(data[: max(0, min(len(data), self._left - 2))])
            self._left, data = max(0, self._left - len(data)), data[self._left :]
        self._rest = data
        return b"".join(found)


class Stream(asyncio.Protocol):
    """One request for events on its own connection.

    ``heard`` is called for each event, ``answered`` once the status is known, ``over`` when the connection is closed.
    """

    __slots__ = ("_chunks", "_head", "_request", "body", "finished", "headers", "parser", "status", "transport")

    def __init__(self, request: bytes, last_id: str = "") -> None:
        self._request = request
        self._head: bytes | None = b""
        self._chunks: Chunks | None = None
        self.parser = Parser(last_id)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""  # of a response that isn't a stream
        self.finished = False  # ended properly by the server, not cut off
        self.transport: asyncio.Transport | None = None

    def heard(self, event: Event) -> None: ...

    def answered(self) -> None: ...

    def over(self) -> None: ...

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            head, end, data = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            self._understand(head.decode("latin-1"))
        data = self._chunks.feed(data) if self._chunks else data
        if self.status != 200:
            self.body += data
        else:
            for event in self.parser.feed(data):
                self.heard(event)
        if self._is_finished():
            self.finished = True
            assert self.transport
            self.transport.close()

    def _understand(self, head: str) -> None:
        first, *rest = head.split("\r\n")
        self._head = None
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        self._chunks = Chunks() if "chunked" in self.headers.get("transfer-encoding", "") else None
        self.answered()

    def _is_finished(self) -> bool:
        if self._chunks:
            return self._chunks.ended
        length = 0 if self.status == 204 else int(self.headers.get("content-length", -1))
        return len(self.body) == length

    def connection_lost(self, exc: Exception | None) -> None:
        self.over()

    def leave(self) -> None:
        if self.transport:
            self.transport.close()


def place(address: str) -> tuple[str, int]:
    """Return the host and port of an address."""
    where = urlsplit(address)
    return where.hostname or "", where.port or 80


def request(address: str, path: str, *, cookie: str = "", since: str = "", forwarded: str = "") -> bytes:
    """Return a browser's request for events; ``forwarded`` is the client's address, as nginx forwards it."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {urlsplit(address).netloc}", "Accept: text/event-stream"]
    lines += ["Cache-Control: no-cache", "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"]
    others = {"Cookie": cookie, "Last-Event-ID": since, "X-Forwarded-For": forwarded}
    lines += [f"{name}: {value}" for name, value in others.items() if value]
    return "\r\n".join([*lines, "", ""]).encode()
