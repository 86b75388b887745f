"""`Defect`, and the tools to plant one: find records, take them out, add some, exchange what they say."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from tests.faults.history import Record

Records = list[Record]


@dataclass(frozen=True)
class Defect:
    """What to do, and exactly what a checker must find then."""

    plant: Callable[[Records], None]
    invariants: set[str]
    figures: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.plant.__name__


def those(records: Records, f: str, type_: str = "ok", **fields: Any) -> Records:
    wanted = {"f": f, "type": type_, **fields}
    return [one for one in records if all(one.get(name) == value for name, value in wanted.items())]


def remove(records: Records, *gone: Record) -> None:
    records[:] = [one for one in records if not any(one is other for other in gone)]


def add(records: Records, after: Record, seconds: float = 0.01, **fields: Any) -> Record:
    """A copy of a record, a little later, with other fields."""
    copy = {**after, "mono": after["mono"] + seconds, **fields}
    records.append(copy)
    return copy


def exchange(one: Record, other: Record, *names: str) -> None:
    for name in names:
        one[name], other[name] = other[name], one[name]
