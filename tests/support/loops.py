"""Coroutines in tests. Playwright may have left an event loop running in the tests' own thread."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_aside(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run the coroutine that ``main`` returns to its end in a thread of its own, and return its result."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(main())).result()
