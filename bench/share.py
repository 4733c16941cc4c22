"""A share of the machine's CPU time, by a control group of Linux (version 1 or 2). Only root may make one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

PERIOD_MICROSECONDS = 100_000
ROOT = Path("/sys/fs/cgroup")
VERSION_1 = (ROOT / "cpu").exists()
PARENT = ROOT / "cpu" if VERSION_1 else ROOT


class Share:
    """The share that some processes have together, in percent of one core; None is no limit.

    It is given within a ``with`` block, at whose end these processes must have ended.
    """

    def __init__(self, percent: int | None) -> None:
        self.percent = percent
        self._group = PARENT / "tictactoe-bench"

    def __enter__(self) -> Self:
        if self.percent is not None:
            self._group.mkdir()
            quota = self.percent * PERIOD_MICROSECONDS // 100
            if VERSION_1:
                (self._group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
                (self._group / "cpu.cfs_quota_us").write_text(str(quota))
            else:
                (self._group / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
        return self

    def __exit__(self, *_: object) -> None:
        if self.percent is not None:
            self._group.rmdir()

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Give the share to the processes that the block starts. This process has it only meanwhile."""
        if self.percent is not None:
            (self._group / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            if self.percent is not None:
                (PARENT / "cgroup.procs").write_text(str(os.getpid()))
