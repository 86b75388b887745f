"""What senders were told of their messages against what the others confirmed: I9."""

from bisect import bisect_left
from bisect import insort
from collections import defaultdict
from collections.abc import Iterator

from tests.faults.facts import Facts
from tests.faults.report import Report
from tests.support.followers import place

RANK = {"failed": 0, "sending": 0, "sent": 1, "delivered": 2}
# The answer to an ack is written down after the server acted on it, by a client that may be busy.
ACK_LATE_S = 1.0
# A drain brings cursor after cursor and is written down at its end.
DRAIN_LASTS_S = 30.0

Place = tuple[int, int]
EVERYTHING: Place = (2**64, 0)


class Standing:
    """How far the users' clients have confirmed one room, at the moment that a sweep has reached."""

    def __init__(self) -> None:
        self._of: dict[str, Place] = {}
        self._sorted: list[Place] = []

    def confirm(self, user: str, up_to: Place) -> None:
        before = self._of.get(user)
        if before is not None:
            if before >= up_to:
                return
            del self._sorted[bisect_left(self._sorted, before)]
        self._of[user] = up_to
        insort(self._sorted, up_to)

    def others_at(self, user: str, at: Place) -> int:
        """How many other users stand there or beyond."""
        own = self._of.get(user)
        return len(self._sorted) - bisect_left(self._sorted, at) - (own is not None and own >= at)


def check_receipts(facts: Facts, report: Report) -> None:
    _check_forward(facts, report)
    _check_confirmed(facts, report)


def _check_forward(facts: Facts, report: Report) -> None:
    status: dict[tuple[str, str], str] = {}
    count: dict[tuple[str, str], int] = {}
    furthest: dict[str, str] = {}
    for record in facts.of("receipt"):
        actor, id_ = key = (record["actor"], record["id"])
        said, number = record.get("status"), record.get("deliveredTo")
        if said is not None:
            known = status.setdefault(key, said)
            if RANK[said] < RANK[known]:
                report.add("I9", f"{actor} was told that {id_} is {said}, expected {known} as before")
            status[key] = max(known, said, key=RANK.__getitem__)
            furthest[id_] = max(furthest.get(id_, said), said, key=RANK.__getitem__)
        if number is not None:
            if number < count.setdefault(key, number):
                report.add("I9", f"{actor} was told deliveredTo {number} of {id_}, expected {count[key]} as before")
            count[key] = max(count[key], number)
    for id_, said in furthest.items():
        row = facts.rows.get(id_)
        if row is not None and row.get("status") is not None and RANK[row["status"]] < RANK[said]:
            report.add("I9", f"{row['user']} was told that {id_} is {said}, its row says {row['status']}")


def _check_confirmed(facts: Facts, report: Report) -> None:
    """One sweep in order of time. At the same moment, confirming comes first."""
    standing: dict[str, Standing] = defaultdict(Standing)
    confirmed = sorted(_confirmations(facts))
    done = 0
    for at, actor, id_, told in sorted(_told(facts)):
        while done < len(confirmed) and confirmed[done][0] <= at:
            _, user, room, up_to = confirmed[done]
            standing[room].confirm(user, up_to)
            done += 1
        row = facts.rows[id_]
        others = 0
        if row["seq"] is not None:
            others = standing[row["room"]].others_at(row["user"], place(row["seq"]))
        if others < told:
            report.add(
                "I9",
                f"{actor} has {id_} ({row['localId']}) as delivered to {told}, "
                f"expected {others}: so many others had confirmed {row['seq']} of {row['room']}",
            )


def _told(facts: Facts) -> Iterator[tuple[float, str, str, int]]:
    """When and to whom which message was said to be delivered, and to how many at least."""
    for record in [*facts.of("receipt"), *facts.rows.values()]:
        told = max(record.get("deliveredTo") or 0, int(record.get("status") == "delivered"))
        if told and record["id"] in facts.rows:
            yield record["mono"], record["actor"], record["id"], told


def _confirmations(facts: Facts) -> Iterator[tuple[float, str, str, Place]]:
    """From when on, who, in which room, up to where. Only members' count."""
    for record in facts.of("connect", "invoke"):
        if record["cursor"] is not None:
            for user, room in _of_members(facts, record["actor"], None, record["mono"]):
                yield record["mono"], user, room, place(record["cursor"])
    for record in facts.of("ack", "invoke", "ok", "info"):
        since = record["mono"] - (0.0 if record["type"] == "invoke" else ACK_LATE_S)
        for user, room in _of_members(facts, record["actor"], record.get("rooms"), record["mono"]):
            yield since, user, room, place(record["cursor"])
    for record in facts.of("confirm", "invoke"):
        yield record["mono"], record["user"], record["room"], place(record["cursor"])
    for record in facts.of("drain"):
        for room in record["rooms"]:
            yield record["mono"] - DRAIN_LASTS_S, record["user"], room, EVERYTHING


def _of_members(facts: Facts, actor: str, rooms: list[str] | None, at: float) -> Iterator[tuple[str, str]]:
    user = facts.user(actor)
    if user is not None:
        for room in facts.rooms(actor) if rooms is None else rooms:
            if facts.memberships.may_be_told(user, room, at):
                yield user, room
