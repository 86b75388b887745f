"""The figures of a run as a table in docs/reliability.md."""

from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from pathlib import Path

from tests.faults.lab import Result

BEGIN = "<!-- figures: written by make faults -->"
COLUMNS = [
    "case",
    "injected",
    "database",
    "sent",
    "acknowledged",
    "shown",
    "lost",
    "repeated",
    "moved",
    "longest gap",
    "whole again after",
    "99 of 100 sends within",
    "besides",
]
END = "<!-- end of the figures -->"


def write(path: Path, results: Sequence[Result]) -> None:
    """Put the table between the two marks of the file. Raises ValueError without them."""
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the figures")
    path.write_text(f"{before}{BEGIN}\n\n{_table(results)}\n\n{END}{after}")


def _table(results: Sequence[Result]) -> str:
    day = datetime.now(UTC).date().isoformat()
    bad = [result for result in results if not result.good]
    verdict = "None of them broke a promise." if not bad else f"{len(bad)} of them broke a promise."
    lines = [
        f"{day}: {len(results)} runs. {verdict}",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
    ]
    return "\n".join([*lines, *map(_row, results)])


def _row(result: Result) -> str:
    report = result.report
    cells = [
        result.case.name,
        result.case.injects,
        result.database,
        report.sent,
        report.acknowledged,
        report.shown,
        report.lost,
        report.repeated,
        report.moved,
        f"{report.longest_gap_s:.1f} s",
        "never" if result.converged_s is None else f"{result.converged_s:.1f} s",
        f"{result.send_p99_s * 1000:.0f} ms",
        "; ".join([*result.notes, *(f"**{text}**" for text in result.wrong)]),
    ]
    return f"| {' | '.join(' '.join(str(cell).replace('|', '/').split()) for cell in cells)} |"
