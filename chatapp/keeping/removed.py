"""`Removed`: how much a step of pruning took away."""

from dataclasses import astuple
from dataclasses import dataclass
from dataclasses import fields


@dataclass(frozen=True, slots=True)
class Removed:
    """Counts of rows. `memberships` were ended, each by an event; `guests` have lost their names."""

    messages: int = 0
    events: int = 0
    receipts: int = 0
    sessions: int = 0
    memberships: int = 0
    guests: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))

    def __bool__(self) -> bool:
        return any(astuple(self))

    def __str__(self) -> str:
        parts = [f"{getattr(self, one.name):,} {one.name}" for one in fields(self) if getattr(self, one.name)]
        return ", ".join(parts) or "nothing"
