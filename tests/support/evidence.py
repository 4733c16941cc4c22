"""What a failed test shows besides its traceback: the pages in its browsers and the items in its table.

The server's log is under "Captured stderr", because the site's processes write to the test's.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

Section = tuple[str, str]
Witness = Callable[[], Section]

_present: list[Witness] = []


@contextmanager
def witness(tell: Witness) -> Iterator[None]:
    """Have ``tell`` asked for (title, text) if a test fails within the block."""
    _present.append(tell)
    try:
        yield
    finally:
        _present.remove(tell)


def gathered() -> list[Section]:
    """Return all that can still be told: a browser may have died."""
    found: list[Section] = []
    for tell in _present:
        try:
            found.append(tell())
        except Exception as exc:
            found.append(("Gone", repr(exc)))
    return found


def of_page(address: str, text: str, screenshot: Callable[[str], object]) -> Section:
    """Return the section of a page, with the path of its picture."""
    path = Path(tempfile.mkdtemp(prefix="failed-"), "page.png")
    screenshot(str(path))
    return f"{address} ({path})", text


def of_items(items: Iterator[object]) -> Section:
    """Return the section of the table, with its first ten items."""
    return "Items in the table", "\n".join(str(item) for item in islice(items, 10))
