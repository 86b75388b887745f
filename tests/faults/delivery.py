"""What came over the wire: I5, I10 and I12."""

from collections.abc import Iterator

from tests.faults.facts import Facts
from tests.faults.history import Record
from tests.faults.report import Report

OWN_MOVES = ("member.joined", "member.left")
# What everyone must say alike of a message.
AGREED = ("room", "user", "localId", "seq", "hash")


def check_delivery(facts: Facts, report: Report) -> None:
    _count_repeats(facts, report)
    _check_agreement(facts, report)
    _check_foreign(facts, report)
    _check_committed(facts, report)


def _count_repeats(facts: Facts, report: Report) -> None:
    had: set[tuple[str, str]] = set()
    for record in _created(facts):
        key = (record["actor"], record["id"])
        report.wire_repeats += key in had
        had.add(key)


def _check_agreement(facts: Facts, report: Report) -> None:
    """The row's word counts; if there is no row, or it has no place yet, the word of the first claim."""
    agreed: dict[str, dict[str, str]] = {}
    for record in _claims(facts):
        known = agreed.setdefault(record["id"], {})
        for name in AGREED:
            said = record.get(name)
            if said is not None and known.setdefault(name, said) != said:
                report.add(
                    "I5",
                    f"{record['actor']} has {name} {said} for {record['id']} ({record['localId']}) "
                    f"in {record['f']}, expected {known[name]}",
                )
    for row in facts.rows.values():
        send = facts.sends.get((row["user"], row["localId"]))
        if send is None or not send.attempts:
            continue
        if row["room"] not in send.rooms or row["hash"] not in send.hashes:
            report.add("I5", f"{row['id']} ({row['localId']}) is not stored as {row['user']} sent it")


def _check_foreign(facts: Facts, report: Report) -> None:
    """Browsers tell only what they show."""
    on_the_wire = {record["actor"] for record in facts.of("deliver")}
    for record in [*facts.of("deliver"), *(one for one in facts.of("shown") if one["actor"] not in on_the_wire)]:
        user = facts.user(record["actor"])
        event = record.get("event", "shown")
        if user is None or record.get("room") is None or (event in OWN_MOVES and record.get("user") == user):
            continue
        if not facts.memberships.may_be_told(user, record["room"], record["mono"]):
            report.add(
                "I10",
                f"{record['actor']} ({user}) got {event} {record.get('id')} ({record.get('localId')}) of "
                f"{record['room']}, expected nothing: no member at {record['mono']:.2f}",
            )
    users = {declared["user"] for declared in facts.actors.values()}
    for drain in facts.of("drain"):
        for id_ in drain["ids"] if drain["user"] in users else []:
            row = facts.rows.get(id_)
            if row is not None and not facts.memberships.may_be_told(drain["user"], row["room"], drain["mono"]):
                report.add("I10", f"{drain['user']} read {id_} of {row['room']} from {drain['since']}, no member")


def _check_committed(facts: Facts, report: Report) -> None:
    for record in [*facts.of("deliver"), *facts.of("receipt")]:
        if record.get("id") is not None and record["id"] not in facts.rows:
            report.add(
                "I12",
                f"{record['actor']} got {record.get('event', record['f'])} of {record['id']} "
                f"({record.get('localId')}), expected a row, found none",
            )


def _created(facts: Facts) -> Iterator[Record]:
    return (record for record in facts.of("deliver") if record["event"] == "message.created")


def _claims(facts: Facts) -> Iterator[Record]:
    yield from facts.rows.values()
    yield from facts.of("send")
    yield from _created(facts)
    yield from facts.of("shown")
