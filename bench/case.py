"""`Case`: one measure on one target, and what it finds."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.target import Target

# By name, the unit last: {"fanout_500.cpu_us": 6.2}. A figure called `missing` counts what was lost.
Figures = dict[str, float]
Start = Callable[[], AbstractContextManager[Target]]


@dataclass(frozen=True)
class Case:
    """`run` starts the server and ends it. It gives figures as it finds them: what was found before a failure stays."""

    measure: str
    target: str
    run: Callable[[], Iterator[Figures]]
    # Takes its rounds by itself, where starting is what takes long.
    once: bool = False
