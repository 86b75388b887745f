"""What cursors were good for: I8."""

from tests.faults.facts import Facts
from tests.faults.history import Record
from tests.faults.report import Report
from tests.support.followers import place

# The contract gives it to everyone.
BEGINNING = "0-0"


def check_cursors(facts: Facts, report: Report) -> None:
    issued = _issued(facts)
    for record in facts.of("resync", "ok", "info"):
        if record["cursor"] in issued:
            report.add("I8", f"{record['actor']} was told to start over at {record['cursor']}, which was handed out")
    for drain in facts.of("drain"):
        _check_drain(facts, report, drain)


def _issued(facts: Facts) -> set[str]:
    handed_out = {record["cursor"] for record in facts.of("connect")}
    handed_out |= {record.get("cursor") for record in facts.of("deliver")}
    for f in ("deliver", "send"):
        handed_out |= {record.get("seq") for record in facts.of(f)}
    return {BEGINNING, *(handed_out - {None})}


def _check_drain(facts: Facts, report: Report, drain: Record) -> None:
    who = f"{drain['user']} reading on from {drain['since']}"
    found = set(drain["ids"])
    since = place(drain["since"])
    for room in drain["rooms"]:
        for row in facts.rows_in.get(room, []):
            if row["id"] not in found and (row["seq"] is None or place(row["seq"]) > since):
                report.add("I8", f"{who} did not get {row['id']} ({row['localId']}) of {room} at {row['seq']}")
    for id_ in sorted(found - facts.rows.keys()):
        report.add("I12", f"{who} got {id_}, expected a row, found none")
