"""What the database holds against what was asked of it: I1 to I3, and each sender's order of I6."""

from collections import defaultdict

from tests.faults.facts import Facts
from tests.faults.facts import Key
from tests.faults.facts import Send
from tests.faults.history import Record
from tests.faults.report import Report
from tests.support.followers import place


def check_storage(facts: Facts, report: Report) -> None:
    report.sent = sum(1 for send in facts.sends.values() if send.attempts)
    report.acknowledged = sum(1 for send in facts.sends.values() if send.oks)
    for key, send in facts.sends.items():
        _check_send(facts, report, key, send)
    for row in facts.rows.values():
        if (row["user"], row["localId"]) not in facts.sends:
            report.add("I3", f"{row['id']} of {row['user']} is stored as {row['localId']}, which nobody sent")
    _check_order(facts, report)


def _check_send(facts: Facts, report: Report, key: Key, send: Send) -> None:
    user, local_id = key
    stored = facts.rows_of.get(key, [])
    ids = sorted({str(ok["id"]) for ok in send.oks})
    missing = [id_ for id_ in ids if id_ not in facts.rows]
    if missing:
        report.lost += 1
        report.add("I1", f"{user} was told that {local_id} is stored as {missing[0]}, expected a row, found none")
    if len(stored) > 1 or len(ids) > 1 or (send.open and send.oks and not stored):
        rows = ", ".join(row["id"] for row in stored) or "none"
        expected = "exactly 1 row" if send.oks else "0 or 1 rows"
        report.add("I2", f"{user} sent {local_id}, expected {expected}, found {rows}, told {', '.join(ids) or 'none'}")
    # One that was refused may be sent again: if any attempt was accepted or never answered, it may be stored.
    if stored and send.refusals and not send.oks and not send.open:
        report.add("I3", f"{user} was refused {local_id}, expected no row, found {stored[0]['id']}")


def _check_order(facts: Facts, report: Report) -> None:
    """What was acknowledged before the next one was first sent stands before it."""
    by_sender: dict[tuple[str, str], list[tuple[Send, Record]]] = defaultdict(list)
    for key, send in facts.sends.items():
        for row in facts.rows_of.get(key, []):
            if row["seq"] is not None:
                by_sender[row["user"], row["room"]].append((send, row))
    for (user, room), sent in by_sender.items():
        answered = sorted(sent, key=lambda one: one[0].first_ok)
        count = 0
        highest: Record | None = None
        for send, row in sorted(sent, key=lambda one: one[0].first_invoke):
            while count < len(answered) and answered[count][0].first_ok < send.first_invoke:
                earlier = answered[count][1]
                if highest is None or place(earlier["seq"]) > place(highest["seq"]):
                    highest = earlier
                count += 1
            if highest is not None and place(row["seq"]) <= place(highest["seq"]):
                report.moved += 1
                report.add(
                    "I6",
                    f"{user} sent {row['localId']} to {room} after the answer for {highest['localId']}, "
                    f"expected it beyond {highest['seq']}, found {row['seq']}",
                )
