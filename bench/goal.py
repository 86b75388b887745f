"""`Goal`: what a figure is held against, and whether it is reached."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import c_loop
from bench import empty_flask
from bench import ours
from bench.peers import NCHAN
from bench.results import Results
from bench.returning import CLIENTS

Found = float | None


@dataclass(frozen=True)
class Goal:
    """`limit` is in `unit`; `detail` gives the figures behind the one that is compared."""

    what: str
    found: Callable[[Results], Found]
    limit: float
    unit: str
    at_least: bool = False
    detail: Callable[[Results], str] = lambda results: ""

    def reached(self, results: Results) -> bool | None:
        """None: not measured."""
        found = self.found(results)
        if found is None:
            return None
        return found >= self.limit if self.at_least else found <= self.limit

    def wanted(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:,g} {self.unit}".strip()


def _figure(name: str) -> Callable[[Results], Found]:
    return lambda results: results.get(ours.NAME, name)


def _times(name: str, other: str, other_name: str = "") -> Callable[[Results], Found]:
    return lambda results: results.ratio(ours.NAME, name, other, other_name)


def _grown(name: str, from_name: str) -> Callable[[Results], Found]:
    return lambda results: results.ratio(ours.NAME, name, ours.NAME, from_name)


def _scaled(name: str, by: float) -> Callable[[Results], Found]:
    def scaled(results: Results) -> Found:
        found = results.get(ours.NAME, name)
        return None if found is None else found * by

    return scaled


def _percent(results: Results) -> Found:
    found = results.ratio(ours.NAME, "sends.per_s", empty_flask.NAME)
    return None if found is None else found * 100


def _says(template: str, **names: tuple[str, str]) -> Callable[[Results], str]:
    """Fill in medians: {key} is the figure of the target and name that `names` gives for it."""

    def says(results: Results) -> str:
        found = {key: results.get(target, name) for key, (target, name) in names.items()}
        return "" if None in found.values() else template.format(**found)

    return says


def _against(name: str, other: str, unit: str) -> Callable[[Results], str]:
    return _says(f"{{a:.1f}} {unit}, {other} {{b:.1f}}", a=(ours.NAME, name), b=(other, name))


def _from_to(name: str, to_name: str) -> Callable[[Results], str]:
    return _says("{a:,.1f} → {b:,.1f} µs", a=(ours.NAME, name), b=(ours.NAME, to_name))


def _of_size(name: str, what: str, count: int) -> "Goal":
    few, many = f"size_{name}_1000.p95_ms", f"size_{name}_{count}.p95_ms"
    detail = _says("{a:.1f} → {b:.1f} ms", a=(ours.NAME, few), b=(ours.NAME, many))
    return Goal(f"p95 of {what}, 1,000 → {count:,} messages", _grown(many, few), 1.5, "×", detail=detail)


GOALS = [
    Goal(
        "CPU per delivery, room of 500",
        _times("fanout_500.cpu_us", c_loop.NAME),
        2.0,
        "× C",
        detail=_against("fanout_500.cpu_us", c_loop.NAME, "µs"),
    ),
    Goal(
        "CPU per delivery, room of 2,000",
        _times("fanout_2000.cpu_us", c_loop.NAME),
        1.6,
        "× C",
        detail=_against("fanout_2000.cpu_us", c_loop.NAME, "µs"),
    ),
    Goal(
        "delivery p99, room of 500",
        _times("fanout_500.p99_ms", NCHAN),
        1.5,
        "× Nchan",
        detail=_against("fanout_500.p99_ms", NCHAN, "ms"),
    ),
    Goal(
        "delivery p99, room of 2,000",
        _times("fanout_2000.p99_ms", NCHAN),
        1.5,
        "× Nchan",
        detail=_against("fanout_2000.p99_ms", NCHAN, "ms"),
    ),
    Goal("deliveries, saturated room of 500", _figure("saturated.per_s"), 120_000, "a second", at_least=True),
    Goal("their p99", _figure("saturated.p99_ms"), 1000, "ms"),
    Goal("memory of an idle stream, 10,000 open", _scaled("idle_10000.bytes", 1 / 1024), 2, "KiB"),
    Goal("memory of an idle stream, 100,000 open on 6 workers", _scaled("crowd.bytes", 1 / 1024), 1.2, "KiB"),
    Goal("one message to all of them", _figure("crowd.max_ms"), 1000, "ms"),
    Goal("CPU to open a stream", _figure("opening_10000.cpu_us"), 500, "µs"),
    Goal(
        "sends, of an empty route's",
        _percent,
        40,
        "%",
        at_least=True,
        detail=_says(
            "{a:,.0f} a second, {b:,.0f}; CPU {c:,.0f} µs, {d:,.0f}",
            a=(ours.NAME, "sends.per_s"),
            b=(empty_flask.NAME, "sends.per_s"),
            c=(ours.NAME, "sends.cpu_us"),
            d=(empty_flask.NAME, "sends.cpu_us"),
        ),
    ),
    Goal(
        "CPU of a send, 1 → 2 workers",
        _grown("workers_2.cpu_us", "workers_1.cpu_us"),
        1.15,
        "×",
        detail=_from_to("workers_1.cpu_us", "workers_2.cpu_us"),
    ),
    Goal(
        "CPU of a send, 1 → 4 workers",
        _grown("workers_4.cpu_us", "workers_1.cpu_us"),
        1.25,
        "×",
        detail=_from_to("workers_1.cpu_us", "workers_4.cpu_us"),
    ),
    *(
        Goal(
            f"the same, fifty senders for each of {count}",
            _grown(f"each_{count}.cpu_us", "each_1.cpu_us"),
            limit,
            "×",
            detail=_from_to("each_1.cpu_us", f"each_{count}.cpu_us"),
        )
        for count, limit in ((2, 1.15), (4, 1.25))
    ),
    Goal("CPU of an event that nobody follows, one a publish", _figure("tail_1.cpu_us"), 40, "µs a worker"),
    Goal("CPU of an event that nobody follows, a hundred a publish", _figure("tail_100.cpu_us"), 12, "µs a worker"),
    Goal("10,000 back, each 50 behind", _figure("returning.seconds"), 10, "s"),
    Goal("database transactions for each", _scaled("returning.transactions", 1 / CLIENTS), 0.1, "a client"),
    Goal("Redis commands for each", _scaled("returning.commands", 1 / CLIENTS), 0.1, "a client"),
    Goal(
        "CPU per message, 1 → 10,000 rooms",
        _grown("rooms_10000.cpu_us", "rooms_1.cpu_us"),
        1.25,
        "×",
        detail=_from_to("rooms_1.cpu_us", "rooms_10000.cpu_us"),
    ),
    Goal(
        "CPU per delivery, 500 → 10,000 streams",
        _grown("fanout_10000.cpu_us", "fanout_500.cpu_us"),
        1.25,
        "×",
        detail=_from_to("fanout_500.cpu_us", "fanout_10000.cpu_us"),
    ),
    Goal(
        "CPU per delivery from the database",
        _figure("age_database.cpu_us"),
        40,
        "µs",
        detail=_says("from the window {a:.1f} µs", a=(ours.NAME, "age_window.cpu_us")),
    ),
    *(
        _of_size(name, what, count)
        for name, what in (
            ("send", "a send, until the stream has it"),
            ("edit", "an edit, until the stream has it"),
            ("leave", "a leaving or joining, until the stream has it"),
            ("history", "a page of history"),
            ("catch_up", "catching up, 50 events"),
            ("rooms", "a page of rooms"),
        )
        for count in (100_000, 1_000_000)
    ),
    Goal("presence events a member, a room of 500 that fills in 10 s", _figure("filling.events"), 12, ""),
    Goal("a worker at rest, 10,000 streams of 2,000 people", _figure("rest.percent"), 3, "% of a processor"),
    Goal(
        "CPU of a signal per receiver, room of 500",
        _grown("typing.cpu_us", "typing.message_cpu_us"),
        1.2,
        "× a message's",
        detail=_from_to("typing.message_cpu_us", "typing.cpu_us"),
    ),
    Goal(
        "CPU of an append, 50 bots, 20 a second each",
        _grown("growing.append_cpu_us", "growing.send_cpu_us"),
        1.2,
        "× a send's",
        detail=_from_to("growing.send_cpu_us", "growing.append_cpu_us"),
    ),
    Goal("CPU per message and polling client", _figure("polls.cpu_us"), 180, "µs"),
    Goal("measurements in which a message was lost", lambda results: float(len(list(results.lost()))), 0, ""),
]
