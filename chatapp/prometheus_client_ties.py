"""Everything that depends on more of prometheus_client than its documentation promises.

What would break it, in a new version of prometheus_client: a process does not keep its values in the files
`<type>_<process>.db` and `gauge_<mode>_<process>.db`; these are not read and written by `MmapedDict`, keys and all; the
folder is not named by PROMETHEUS_MULTIPROC_DIR when the library is imported; what counts is not made of
`values.ValueClass` with an `inc`, or such a value has no `_value`, `_file` and `_key`; `get` does not notice a fork.
"""

from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import generate_latest
from prometheus_client import multiprocess
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.registry import Collector

# In the place of a process: what those that are gone have counted.
GONE = "gone"
SUMMED = ("counter", "histogram")


def count_in_one_greenlet() -> None:
    """Call it before anything is defined that counts: counting takes no lock then, and half the time.

    After a fork, call `count_here` before the first count.
    """
    kept: Any = values.ValueClass
    if not kept._multiprocess:
        return

    class Value(kept):  # type: ignore[misc]
        def inc(self, amount: float) -> None:
            self._value += amount
            self._file.write_value(self._key, self._value, 0.0)

    values.ValueClass = Value


def count_here(any_one: Counter) -> None:
    """Give a process that was forked files of its own, for all that it counts; by any counter with its labels."""
    any_one._value.get()


def text_of_all(folder: Path, besides: Collector) -> bytes:
    """What all processes have counted together, and what is looked up besides, as text for Prometheus."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))
    registry.register(besides)
    return generate_latest(registry)


def bury(folder: Path, pid: int) -> None:
    """Add what a process that is gone has counted to that of others like it, and forget what it was doing.

    A service whose workers come and go for years has no more files than workers.
    """
    for kind in SUMMED:
        file = folder / f"{kind}_{pid}.db"
        if file.exists():
            _add(folder / f"{kind}_{GONE}.db", file)
            file.unlink()
    for file in folder.glob(f"gauge_*_{pid}.db"):
        file.unlink()


def _add(to: Path, file: Path) -> None:
    summed = MmapedDict(str(to))
    try:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):
            before, _ = summed.read_value(key)
            summed.write_value(key, before + value, 0.0)
    finally:
        summed.close()
