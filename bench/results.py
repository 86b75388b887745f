"""`Results`: the figures of a run by target and name, one of each round, and what could not be measured."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from statistics import median

from bench.case import Figures


@dataclass
class Results:
    """`figures[target][name]` are the values of the rounds. Ratios are made of medians of one run."""

    about: dict[str, str] = field(default_factory=dict)
    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    # Why something is missing in the table, each once.
    failures: list[str] = field(default_factory=list)

    def add(self, target: str, figures: Figures) -> None:
        of_target = self.figures.setdefault(target, {})
        for name, value in figures.items():
            of_target.setdefault(name, []).append(value)

    def fail(self, text: str) -> None:
        if text not in self.failures:
            self.failures.append(text)

    def get(self, target: str, name: str) -> float | None:
        """The median of the rounds."""
        values = self.figures.get(target, {}).get(name)
        return median(values) if values else None

    def ratio(self, target: str, name: str, other: str, other_name: str = "") -> float | None:
        one, two = self.get(target, name), self.get(other, other_name or name)
        return None if one is None or not two else one / two

    def lost(self) -> Iterator[str]:
        """A line for each measurement in which something did not arrive."""
        for target, of_target in self.figures.items():
            for name, values in of_target.items():
                if name.endswith(".missing") and any(values):
                    counts = ", ".join(f"{value:g}" for value in values)
                    yield f"{target}, {name.removesuffix('.missing')}: {counts} missing in the rounds"

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(vars(self), indent=1))

    @classmethod
    def load(cls, path: Path) -> "Results":
        return cls(**json.loads(path.read_text()))
