"""`check`: whether a history broke a promise.

I1   what was acknowledged is stored, and shown by everyone who follows the room
I2   however often it is tried, a send is stored at most once, and once if it was acknowledged
I3   nothing is stored or shown that was not sent, or was refused
I4   a client shows a message once
I5   everyone says the same of a message
I6   rooms are shown in the order of the log, and each sender's messages stand in it as they were sent
I7   a hole in a reader's view is filled soon
I8   a cursor that was handed out continues without a gap
I9   receipts go forward only, and only as far as others have confirmed
I10  a private room is heard of by its members alone
I11  after a fault all is well again soon
I12  what is not stored is not told of
I13  what was appended to a reply stays in its place, and a reply that is shown only grows
"""

from collections.abc import Iterable

from tests.faults.cursors import check_cursors
from tests.faults.delivery import check_delivery
from tests.faults.facts import Facts
from tests.faults.growth import check_growth
from tests.faults.history import Record
from tests.faults.receipts import check_receipts
from tests.faults.report import Report
from tests.faults.storage import check_storage
from tests.faults.views import check_views

CONVERGED_S = 15.0


def check(records: Iterable[Record]) -> Report:
    """Judge a whole history, its final state included. Reads nothing else and changes nothing."""
    facts = Facts(records)
    report = Report()
    check_storage(facts, report)
    check_views(facts, report)
    check_delivery(facts, report)
    check_cursors(facts, report)
    check_receipts(facts, report)
    check_growth(facts, report)
    _check_healing(facts, report)
    return report


def _check_healing(facts: Facts, report: Report) -> None:
    for record in facts.of("converged"):
        if record["seconds"] > CONVERGED_S:
            report.add("I11", f"converged {record['seconds']:.1f} s after healing, expected {CONVERGED_S:g} s at most")
    for record in facts.of("present"):
        if record["seconds"] > CONVERGED_S:
            report.add("I11", f"presence was whole {record['seconds']:.1f} s after healing, expected {CONVERGED_S:g} s")
    for record in facts.of("present", "fail"):
        report.add("I11", f"presence was never whole again after healing, still missing: {record['missing']}")
    for record in facts.of("converged", "fail"):
        report.add("I11", f"never converged after healing, still missing: {record.get('missing')}")
    healed = facts.of("heal")
    judged = [record["mono"] for record in facts.of("converged", "ok", "fail")]
    if healed and healed[-1]["mono"] > max(judged, default=0.0):
        report.add("I11", f"nothing tells of convergence after {healed[-1]['actor']} healed the last fault")
