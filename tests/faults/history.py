"""`History`: what every client, the nemesis and the lab did and saw, one JSON object a line."""

import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import orjson

Record = dict[str, Any]

# 64 bits: no two bodies of one run share it by chance.
DIGEST_LENGTH = 16


class History:
    """Written by many threads. The order of the lines is the order of `mono`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[Record] = []
        self._lock = threading.Lock()
        # Unbuffered and appending: a line is one write, so it is in the file whatever happens to this process next,
        # and a second process may add its own.
        self._file = path.open("ab", buffering=0)

    def record(self, actor: str, f: str, type: str, **fields: Any) -> Record:  # noqa: A002
        """Write down that `actor` did `f` or saw it, now. Returns the record."""
        with self._lock:
            record = {
                "mono": time.monotonic(),
                "wall": time.time(),
                "actor": actor,
                "f": f,
                "type": type,
                **fields,
            }
            self._file.write(orjson.dumps(record) + b"\n")
            self.records.append(record)
        return record

    def close(self) -> None:
        self._file.close()


def load(path: Path) -> list[Record]:
    """The records of a file. Raises ValueError for a line that is none."""
    with path.open("rb") as lines:
        return [orjson.loads(line) for line in lines]


def digest(body: str) -> str:
    """What stands for a body in a history."""
    return hashlib.sha256(body.encode()).hexdigest()[:DIGEST_LENGTH]
