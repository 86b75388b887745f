"""`Recent`: a dictionary that keeps the newest entries, so that a memory of what happened has a bound."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """Setting a key makes it the newest; beyond `size` keys the oldest leaves."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._size:
            del self[next(iter(self))]
