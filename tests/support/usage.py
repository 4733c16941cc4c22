"""Resource usage of running processes, from /proc (proc(5))."""

import os
import time
from collections.abc import Callable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Return the process's resident memory in MB, including what it shares with its parent."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all threads since the process started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_seconds_of_threads(pid: int) -> float:
    """Return the same to the nanosecond, of the threads that still run (schedstat in the kernel's sched-stats)."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def cpu_percent(pids: list[int], work: Callable[[], object]) -> list[float]:
    """Do the work; return the percentage of one core that each process used meanwhile."""
    before, start = [cpu_seconds(pid) for pid in pids], time.monotonic()
    work()
    seconds = time.monotonic() - start
    return [(cpu_seconds(pid) - used) / seconds * 100 for pid, used in zip(pids, before, strict=True)]
