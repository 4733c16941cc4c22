"""The password hasher, and the few threads that hash.

A hash takes 19 MiB and a good part of a core. With threads of its own, a burst of sign-ups neither stops the site nor
fills its memory: glibc keeps what a thread has freed, so it matters which threads hash.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from dynamodb import retries

T = TypeVar("T")

THREADS = 2
# How long a log-in from a browser that has logged in before waits for the thread that is reserved for such.
PATIENCE_SECONDS = 2.0


class Argon2(Argon2PasswordHasher):
    """Argon2id with the parameters of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.

    Django's defaults take 100 MiB per login: eight logins at once wouldn't fit into a small instance.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1


class Busy(Exception):
    """All threads are hashing: the client should try again in a moment."""

    status = 503
    wait = 2  # seconds

    def __init__(self) -> None:
        super().__init__("Many people are logging in just now: try again in a moment.")


class Hashers:
    """Threads that hash, and as many that wait for them: none, or for ``patience`` seconds each."""

    def __init__(self, threads: int, patience: float) -> None:
        self._free = BoundedSemaphore(threads)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="hash")
        self._patience = patience

    def run(self, work: Callable[[], T]) -> T:
        """Return the result of the work. Raises Busy."""
        if not self._free.acquire(timeout=self._patience):
            raise Busy
        try:
            with retries.stopped_clock():
                return self._threads.submit(work).result()
        finally:
            self._free.release()


_anybody = Hashers(THREADS, 0)
_known_browsers = Hashers(1, PATIENCE_SECONDS)


def hashed(password: str) -> str:
    """Return the password's salted hash. Raises Busy."""
    return _anybody.run(lambda: make_password(password))


def matches(passwords: list[str], stored: str, *, known_browser: bool = False) -> bool:
    """Whether one of the passwords has the stored hash. Raises Busy."""
    threads = _known_browsers if known_browser else _anybody
    return threads.run(lambda: any(check_password(each, stored) for each in passwords))
