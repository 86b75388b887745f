"""`Report`: what a check found, and the figures of the run."""

from collections import Counter
from dataclasses import dataclass
from dataclasses import field

# One defect shows itself in hundreds of records; the first ones tell which it is.
TEXTS_MAX = 20


@dataclass(frozen=True)
class Violation:
    """One promise broken once."""

    invariant: str
    text: str


@dataclass
class Report:
    """Empty `violations` is a good run. `totals` counts those beyond the first 20 of an invariant too."""

    violations: list[Violation] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    acknowledged: int = 0
    shown: int = 0
    lost: int = 0
    repeated: int = 0
    moved: int = 0
    wire_repeats: int = 0
    longest_gap_s: float = 0.0

    def add(self, invariant: str, text: str) -> None:
        self.totals[invariant] += 1
        if self.totals[invariant] <= TEXTS_MAX:
            self.violations.append(Violation(invariant, " ".join(text.split())))

    def __str__(self) -> str:
        """For the message of an assertion: the figures, then each invariant with its total and its texts."""
        lines = [
            f"sent {self.sent}, acknowledged {self.acknowledged}, shown {self.shown}, lost {self.lost}, "
            f"repeated {self.repeated}, moved {self.moved}, wire repeats {self.wire_repeats}, "
            f"longest gap {self.longest_gap_s:.2f} s"
        ]
        for invariant in sorted(self.totals, key=lambda name: int(name[1:])):
            lines.append(f"{invariant}: {self.totals[invariant]}")
            lines += [f"  {one.text}" for one in self.violations if one.invariant == invariant]
        return "\n".join(lines)
