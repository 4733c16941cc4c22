"""Inspect running processes through /proc, and wait for conditions."""

import re
import time
from collections.abc import Callable
from pathlib import Path


def children_of(process: int) -> list[int]:
    """Return the descendants of this process, from /proc."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, parent = re.match(r"(\d+) \(.*\) \w (\d+)", status.read_text(), re.DOTALL).groups()  # type: ignore[union-attr]
        except OSError:
            continue
        if int(parent) == process:
            found += [int(pid), *children_of(int(pid))]
    return found


def alive(pids: list[int]) -> list[int]:
    return [
        pid for pid in pids if Path(f"/proc/{pid}/stat").exists() and ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    ]


def ends(pids: list[int], seconds: float = 60) -> bool:
    return comes_true(lambda: not alive(pids), seconds)


def comes_true(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether the condition becomes true within the time, checking twenty times a second.

    The limit is generous: machines are busy, and a test that fails takes that long only once.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True
