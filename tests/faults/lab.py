"""The lab: runs one case in a world of its own and judges it."""

import time
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from tests.faults import at_the_pages
from tests.faults.checker import check
from tests.faults.load import Load
from tests.faults.report import Report
from tests.faults.storage_dump import rows
from tests.faults.typist import Typist
from tests.faults.world import World

# Every send is answered within 10 s; the lab's clients share the machine with what they test.
ANSWER_MAX_S = 10.0

# Of one invariant; the history has the others.
TEXTS_MAX = 3

Inject = Callable[[World, Load], None]


@dataclass(frozen=True)
class Case:
    """One line of the table. `inject` breaks something under load and heals it again."""

    name: str
    injects: str
    inject: Inject
    databases: tuple[str, ...] = ("sqlite", "postgres")
    redis: str = "own"
    settings: Mapping[str, str] = field(default_factory=dict)
    senders: int = 5
    readers: int = 9
    # Of each sender, between an answer and the next message.
    pause_s: float = 0.15
    # Above 0: the database on a disk of its own of this size.
    disk_mib: int = 0
    # Above 0: how many files each process of the service may open.
    files: int = 0
    # Between clients and service stands a proxy that can be broken.
    proxied: bool = False
    # The service's own clock can be set.
    service_clock: bool = False
    # Above 0: so many services on one database and one Redis.
    hosts: int = 0
    # As "+10m": how far the clock of the last of them is from the others'.
    apart: str = ""
    # The database has a synchronous one.
    standby: bool = False
    # How many people are at the page in a real Chromium.
    browsers: int = 0
    # And one person more at the page for old browsers, one without scripts, and one with two tabs.
    every_page: bool = False
    # The databases with which it is part of `make test`.
    short: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    case: Case
    database: str
    report: Report
    findings: list[str]
    notes: list[str]
    converged_s: float | None
    send_p99_s: float
    seconds: float
    history: Path

    @property
    def good(self) -> bool:
        return not self.report.violations and not self.findings

    @property
    def wrong(self) -> list[str]:
        """What broke, the first of each invariant."""
        found = []
        for invariant, total in sorted(self.report.totals.items()):
            texts = [one.text for one in self.report.violations if one.invariant == invariant]
            found += [f"{invariant}, {total} times: {text}" for text in texts[:TEXTS_MAX]]
        return found + self.findings

    def __str__(self) -> str:
        """One line, and under it what is wrong."""
        report = self.report
        converged = "never" if self.converged_s is None else f"{self.converged_s:.1f} s"
        line = (
            f"{'ok  ' if self.good else 'FAIL'} {self.case.name:<24} {self.database:<8} "
            f"sent {report.sent:>5} acknowledged {report.acknowledged:>5} shown {report.shown:>6} | "
            f"lost {report.lost} repeated {report.repeated} moved {report.moved} | "
            f"longest gap {report.longest_gap_s:4.1f} s, whole again after {converged} | {self.case.injects}"
        )
        notes = [f"99 of 100 sends within {self.send_p99_s * 1000:.0f} ms", *self.notes]
        lines = [f"{line} ({'; '.join(notes)})", *(f"     {text}" for text in self.wrong)]
        return "\n".join(lines if self.good else [*lines, f"     history: {self.history}"])


def run(case: Case, database: str, folder: Path) -> Result:
    """Start everything, inject the fault under load, heal, let it settle, read it all again, judge."""
    started_s = time.monotonic()
    world = World(
        folder,
        database,
        redis=case.redis,
        settings=dict(case.settings),
        disk_mib=case.disk_mib,
        files=case.files,
        proxied=case.proxied,
        service_clock=case.service_clock,
        hosts=case.hosts,
        apart=case.apart,
        standby=case.standby,
    )
    report = Report()
    try:
        load = Load(world, senders=case.senders, readers=case.readers, pause_s=case.pause_s)
        try:
            _play(case, world, load)
            report = check(world.history.records)
            _judge(world, load)
        except Exception as error:
            # What never comes to its end breaks a promise too.
            world.findings.append(f"{type(error).__name__}: {error}")
        finally:
            load.close()
    finally:
        world.close()
    healed = [one["seconds"] for one in world.history.records if one["f"] == "converged" and one["type"] == "ok"]
    return Result(
        case,
        database,
        report,
        world.findings,
        world.notes,
        max(healed) if healed else None,
        load.answered_s(0.99),
        time.monotonic() - started_s,
        world.history.path,
    )


def _play(case: Case, world: World, load: Load) -> None:
    load.start()
    with ExitStack() as open_:
        typists = [Typist(one) for one in at_the_pages.people(world, load, case.browsers, case.every_page, open_)]
        for typist in typists:
            typist.start()
        case.inject(world, load)
        load.goes_on(1)
        load.converge(world.healed_s)
        load.goes_on()
        for typist in typists:
            typist.finish()
        for typist in typists:
            typist.wait()
        load.finish()
        in_the_end = list(rows(world.database_url))
        for typist in typists:
            typist.look(in_the_end)
    load.read_again()


def _judge(world: World, load: Load) -> None:
    """What is promised beside the invariants, in every case."""
    slowest_s = load.answered_s(1.0)
    world.require(slowest_s <= ANSWER_MAX_S, f"a send was answered after {slowest_s:.1f} s")
    unanswered = sum(sender.unanswered for sender in load.senders)
    world.require(not (unanswered and world.owes_answers), f"{unanswered} sends were not answered at all")
    for service in world.services:
        world.require("Traceback" not in service.log(), f"there is a traceback in the log of {service.folder.name}")
    # Otherwise their never hearing what is not for them would prove nothing.
    world.require(load.replayer.heard, "who comes and goes was never given anything of the past")
    world.require(all(leaver.shown for leaver in load.leavers), "who comes and goes never saw a message")
