"""The report: the goals and the figures of a run, as text for a terminal and as the page in docs/."""

from pathlib import Path

from bench import ours
from bench.goal import GOALS
from bench.results import Results

PAGE = Path(__file__).parent / "page.md"
# Heading, name of the figure, divisor, digits.
Column = tuple[str, str, float, int]
FANOUT: list[Column] = [
    ("500: CPU µs", "fanout_500.cpu_us", 1, 1),
    ("p50 ms", "fanout_500.p50_ms", 1, 1),
    ("p99 ms", "fanout_500.p99_ms", 1, 1),
    ("2,000: CPU µs", "fanout_2000.cpu_us", 1, 1),
    ("p50 ms", "fanout_2000.p50_ms", 1, 1),
    ("p99 ms", "fanout_2000.p99_ms", 1, 1),
    ("saturated: a second", "saturated.per_s", 1, 0),
    ("CPU µs", "saturated.cpu_us", 1, 1),
    ("p99 ms", "saturated.p99_ms", 1, 0),
]
STREAMS: list[Column] = [
    ("KiB, 2,000 open", "idle_2000.bytes", 1024, 2),
    ("KiB, 10,000 open", "idle_10000.bytes", 1024, 2),
    ("opening, CPU µs (to 2,000)", "opening_2000.cpu_us", 1, 0),
    ("(to 10,000)", "opening_10000.cpu_us", 1, 0),
]
SENDS: list[Column] = [
    ("a second", "sends.per_s", 1, 0),
    ("CPU µs", "sends.cpu_us", 1, 0),
    ("p50 ms", "sends.p50_ms", 1, 1),
    ("p99 ms", "sends.p99_ms", 1, 1),
]
WORKERS: list[Column] = [
    ("1 worker: a second", "workers_1.per_s", 1, 0),
    ("CPU µs", "workers_1.cpu_us", 1, 0),
    ("2: a second", "workers_2.per_s", 1, 0),
    ("CPU µs", "workers_2.cpu_us", 1, 0),
    ("4: a second", "workers_4.per_s", 1, 0),
    ("CPU µs", "workers_4.cpu_us", 1, 0),
]
POLLS: list[Column] = [
    ("CPU µs", "polls.cpu_us", 1, 0),
    ("p50 ms", "polls.p50_ms", 1, 1),
    ("p99 ms", "polls.p99_ms", 1, 1),
]
RETURNING: list[Column] = [
    ("all back after s", "returning.seconds", 1, 2),
    ("half after s", "returning.p50_s", 1, 2),
    ("CPU µs a client", "returning.cpu_us", 1, 0),
    ("transactions", "returning.transactions", 1, 0),
    ("Redis commands", "returning.commands", 1, 0),
]
ROOMS: list[Column] = [
    ("1 room", "rooms_1.cpu_us", 1, 0),
    ("1,000", "rooms_1000.cpu_us", 1, 0),
    ("10,000", "rooms_10000.cpu_us", 1, 0),
]
SIZES: list[Column] = [
    ("500 streams", "fanout_500.cpu_us", 1, 1),
    ("2,000", "fanout_2000.cpu_us", 1, 1),
    ("5,000", "fanout_5000.cpu_us", 1, 1),
    ("10,000", "fanout_10000.cpu_us", 1, 1),
]
AGES: list[Column] = [
    ("from the window", "age_window.cpu_us", 1, 1),
    ("from the database", "age_database.cpu_us", 1, 1),
]
MESSAGES: list[Column] = [
    ("1,000 messages: send", "size_send_1000.p95_ms", 1, 1),
    ("edit", "size_edit_1000.p95_ms", 1, 1),
    ("leave", "size_leave_1000.p95_ms", 1, 1),
    ("history", "size_history_1000.p95_ms", 1, 1),
    ("catching up", "size_catch_up_1000.p95_ms", 1, 1),
    ("rooms", "size_rooms_1000.p95_ms", 1, 1),
    ("1,000,000: send", "size_send_1000000.p95_ms", 1, 1),
    ("edit", "size_edit_1000000.p95_ms", 1, 1),
    ("leave", "size_leave_1000000.p95_ms", 1, 1),
    ("history", "size_history_1000000.p95_ms", 1, 1),
    ("catching up", "size_catch_up_1000000.p95_ms", 1, 1),
    ("rooms", "size_rooms_1000000.p95_ms", 1, 1),
]
TABLES = {
    "FANOUT": FANOUT,
    "STREAMS": STREAMS,
    "SENDS": SENDS,
    "WORKERS": WORKERS,
    "POLLS": POLLS,
    "RETURNING": RETURNING,
    "ROOMS": ROOMS,
    "SIZES": SIZES,
    "AGES": AGES,
    "MESSAGES": MESSAGES,
}
VERDICTS = {True: "yes", False: "**no**", None: "not measured"}


def write(results: Results, path: Path) -> None:
    """The page: page.md with the tables in the places that it names."""
    text = PAGE.read_text()
    for name, columns in TABLES.items():
        text = text.replace(f"<{name}>", table(results, columns))
    for name, found in results.about.items():
        text = text.replace(f"<{name}>", found)
    text = text.replace("<GOALS>", goals(results)).replace("<NOTES>", notes(results))
    path.write_text(text)


def goals(results: Results) -> str:
    lines = ["| | found | goal | reached | behind it |", "|---|--:|--:|---|---|"]
    for goal in GOALS:
        found = goal.found(results)
        shown = "–" if found is None else f"{_number(found)} {goal.unit}".strip()
        verdict = VERDICTS[goal.reached(results)]
        lines.append(f"| {goal.what} | {shown} | {goal.wanted()} | {verdict} | {goal.detail(results)} |")
    return "\n".join(lines)


def table(results: Results, columns: list[Column]) -> str:
    """A line for each target that has one of the figures, ours first; a dash for what is not there."""
    targets = [ours.NAME, *(name for name in results.figures if name != ours.NAME)]
    lines = ["| | " + " | ".join(heading for heading, *_ in columns) + " |", "|---|" + "--:|" * len(columns)]
    for target in targets:
        values = [results.get(target, name) for _, name, _, _ in columns]
        if any(value is not None for value in values):
            cells = [
                "–" if value is None else f"{value / divisor:,.{digits}f}"
                for value, (_, _, divisor, digits) in zip(values, columns, strict=True)
            ]
            lines.append(f"| {target} | " + " | ".join(cells) + " |")
    return "\n".join(lines) if len(lines) > 2 else "Not measured in this run."


def notes(results: Results) -> str:
    """What was lost and what could not be measured."""
    lost = [f"- Lost: {line}." for line in results.lost()] or ["- Nothing was lost."]
    return "\n".join([*lost, *(f"- {line}" for line in results.failures)])


def text(results: Results) -> str:
    """For the terminal."""
    tables = [f"{name.lower()}\n{table(results, columns)}" for name, columns in TABLES.items()]
    return "\n\n".join([*tables, goals(results), notes(results)])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
