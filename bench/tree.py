"""`Tree`: a server's processes, and what they have used: CPU and memory, from /proc."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

# Less than this share of a core, over this long, is rest; for a server that never rests the last is the longest wait.
REST_SHARE = 0.05
REST_S = 0.5
REST_WITHIN_S = 6.0


class Tree:
    """One or more processes with all their descendants: master, workers, and the Redis that belongs to them."""

    def __init__(self, *pids: int) -> None:
        self._roots = [psutil.Process(pid) for pid in pids]

    def cpu_s(self) -> float:
        """CPU that its processes have used so far, in user space and in the kernel, in seconds.

        From the scheduler, to the nanosecond: the usual counters go by hundredths of a second, which is more than
        some of what is measured here.
        """
        return sum(_cpu_ns(task) for process in self._all() for task in _tasks(process.pid)) / 1e9

    def memory_bytes(self) -> int:
        """PSS: pages that several of its processes share count once. What the kernel holds for sockets is not in it."""
        total = 0
        for process in self._all():
            with suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss
        return total

    def settle(self) -> None:
        """Wait until it has done what it puts off: after thousands of openings a server may work for seconds."""
        stop_s = time.monotonic() + REST_WITHIN_S
        while time.monotonic() < stop_s:
            before_s = self.cpu_s()
            time.sleep(REST_S)
            if self.cpu_s() - before_s < REST_SHARE * REST_S:
                return

    def _all(self) -> Iterator[psutil.Process]:
        for root in self._roots:
            yield root
            yield from root.children(recursive=True)


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return []


def _cpu_ns(task: Path) -> int:
    try:
        return int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0
