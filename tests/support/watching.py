"""A client for tests that follow a few event streams, event by event."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from socket import SHUT_RDWR
from urllib.parse import urlsplit

import requests

END = "end of the stream"


@dataclass(frozen=True, slots=True)
class Event:
    """``name`` is ``comment`` for a comment, and END once the server has ended the stream."""

    name: str
    id: str = ""
    data: str = ""


class Watch:
    def __init__(self, response: HTTPResponse) -> None:
        self.response = response
        self.retry = 0
        self._events: queue.Queue[Event] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def next(self, seconds: float = 60) -> Event:
        """Return the next event; fail the test if none comes in time."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"No event in {seconds} s.") from None

    def named(self, name: str) -> Event:
        """Return the next event with that name; fail the test if it isn't among the next three."""
        events = [self.next()]
        while events[-1].name != name:
            assert len(events) < 3, events
            events.append(self.next())
        return events[-1]

    def nothing(self, seconds: float) -> bool:
        """Whether no event comes within this time."""
        try:
            self._events.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def _read(self) -> None:
        fields: dict[str, list[str]] = {}
        with suppress(OSError, HTTPException):
            for raw in self.response:
                line = raw.decode().rstrip("\n")
                name, _, value = line.partition(":")
                if line.startswith(":"):
                    self._events.put(Event("comment"))
                elif name == "retry":
                    self.retry = int(value)
                elif line:
                    fields.setdefault(name, []).append(value.removeprefix(" "))
                elif fields:
                    self._events.put(Event(*("\n".join(fields.get(field, [])) for field in ("event", "id", "data"))))
                    fields = {}
        self._events.put(Event(END))


@contextmanager
def watching(url: str, session: requests.Session | None = None, since: str = "", **headers: str) -> Iterator[Watch]:
    """Open a stream, which must answer with status 200; close it at the end of the block."""
    parts = urlsplit(url)
    cookies = "; ".join(f"{name}={value}" for name, value in session.cookies.items()) if session else ""
    connection = HTTPConnection(parts.netloc, timeout=30)
    known = {"Last-Event-ID": since} if since else {}
    connection.request("GET", f"{parts.path}?{parts.query}", headers={"Cookie": cookies} | known | headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    watch = Watch(response)
    try:
        yield watch
    finally:
        with suppress(OSError):
            connection.sock.shutdown(SHUT_RDWR)  # so that the reader ends
        watch.reader.join()
        connection.close()


def opened(url: str, session: requests.Session | None = None, since: str = "", **headers: str) -> requests.Response:
    """Return the response without reading it; it may not be a stream."""
    known = {"Last-Event-ID": since} if since else {}
    return (session or requests).get(url, headers=known | headers, stream=True, timeout=30)


@contextmanager
def repeated(action: Callable[[], object]) -> Iterator[None]:
    """Do it twice a second, in another thread, while the block runs."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.5):
            action()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
