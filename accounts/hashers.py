"""The password hasher, and the few threads that hash: a hash takes 19 MiB, and a burst of sign-ups must fit."""

import ctypes
import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from dynamodb import retries
from tictactoe_site.http import Refusal

T = TypeVar("T")

# glibc would keep the memory of each hash for its thread. It returns blocks that are larger than this (mallopt(3)).
M_MMAP_THRESHOLD, LARGE_BYTES = -3, 1_000_000
with suppress(AttributeError):  # other C libraries have no mallopt
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


class Argon2(Argon2PasswordHasher):
    """Argon2id by the OWASP Password Storage Cheat Sheet: Django's 100 MiB a login don't fit into a small instance."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1


class Busy(Refusal):
    """All threads are hashing."""

    def __init__(self) -> None:
        wait = random.randint(2, 8)  # noqa: S311 - so that they don't all come back together
        super().__init__("Many people are logging in just now: try again in a moment.", 503, wait=wait)


class Hasher:
    """Hashes for one request, in a thread that ``Pool.reserved`` keeps free for it."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    def hash(self, password: str) -> str:
        """Return the password's salted hash."""
        return self._run(lambda: make_password(password))

    def matches(self, passwords: Iterable[str], stored: str) -> bool:
        """Whether one of the passwords has the stored hash."""
        return self._run(lambda: any(check_password(each, stored) for each in passwords))

    def _run(self, work: Callable[[], T]) -> T:
        with retries.stopped_clock():
            return self._threads.submit(work).result()


class Pool:
    """Threads that hash, each for one request at a time.

    If all are taken, ``waiting`` more requests wait for ``patience`` seconds. Each of those keeps one of the server's
    threads busy, so the others are refused at once.
    """

    def __init__(self, threads: int, *, waiting: int = 0, patience: float = 0) -> None:
        self._admitted = BoundedSemaphore(threads + waiting)
        self._free = BoundedSemaphore(threads)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="hash")
        self._patience = patience

    @contextmanager
    def reserved(self) -> Iterator[Hasher]:
        """Reserve a thread for the block. Do so first: a request that gets none should cost little. Raises Busy."""
        with _held(self._admitted, 0), _held(self._free, self._patience):
            yield Hasher(self._threads)


@contextmanager
def _held(semaphore: BoundedSemaphore, patience: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=patience):
        raise Busy
    try:
        yield
    finally:
        semaphore.release()


anybody = Pool(2)
# For those who log in from a browser that has logged in before.
known_browsers = Pool(1, waiting=15, patience=2.0)
