"""What the readers' screens showed: the other half of I1 and I3, I4, I6, I7, and how long a message took."""

import math
from collections import defaultdict

from tests.faults.facts import Facts
from tests.faults.history import Record
from tests.faults.report import Report
from tests.support.followers import place

# A hole in a connected reader's view is filled within this.
HOLE_S = 5.0
# What was stored less than this before its reader left the room need not have reached the reader.
SETTLED_S = 15.0


def check_views(facts: Facts, report: Report) -> None:
    shown: dict[str, list[Record]] = defaultdict(list)
    for record in facts.of("shown"):
        shown[record["actor"]].append(record)
    for actor, records in shown.items():
        report.shown += len(records)
        fresh = _without_repeats(facts, report, actor, records)
        by_room: dict[str, list[Record]] = defaultdict(list)
        for record in fresh:
            if record["seq"] is not None:
                by_room[record["room"]].append(record)
        for room, placed in by_room.items():
            _check_order(report, actor, room, placed)
            _check_holes(report, actor, room, placed)
    _check_complete(facts, report, shown)


def _without_repeats(facts: Facts, report: Report, actor: str, records: list[Record]) -> list[Record]:
    """The first showing of each message; the others are violations."""
    first: list[Record] = []
    ids: set[str] = set()
    keys: dict[tuple[str, str], str] = {}
    for record in records:
        id_, key = record["id"], (record["user"], record["localId"])
        if id_ in ids:
            report.repeated += 1
            report.add("I4", f"{actor} showed {id_} ({key[1]}) again, expected it once")
            continue
        ids.add(id_)
        first.append(record)
        if key[1] is not None and keys.setdefault(key, id_) != id_:
            report.repeated += 1
            report.add("I4", f"{actor} showed {key[1]} of {key[0]} as {id_} too, expected only {keys[key]}")
        if id_ not in facts.rows:
            report.add("I3", f"{actor} showed {id_} ({key[1]} of {key[0]}), expected a row, found none")
    return first


def _check_order(report: Report, actor: str, room: str, placed: list[Record]) -> None:
    highest = placed[0]
    for record in placed[1:]:
        if place(record["seq"]) > place(highest["seq"]):
            highest = record
            continue
        report.moved += 1
        report.add(
            "I6",
            f"{actor} showed {record['id']} ({record['localId']}) of {room} at {record['seq']} after "
            f"{highest['id']}, expected it beyond {highest['seq']}",
        )


def _check_holes(report: Report, actor: str, room: str, placed: list[Record]) -> None:
    """From the newest place down, so that the earliest showing of anything beyond is at hand."""
    beyond_since = math.inf
    for record in sorted(placed, key=lambda one: place(one["seq"]), reverse=True):
        late_s = record["mono"] - beyond_since
        if late_s > HOLE_S:
            report.add(
                "I7",
                f"{actor} showed {record['id']} ({record['localId']}) of {room} {late_s:.1f} s after a later one, "
                f"expected {HOLE_S:g} s at most",
            )
        beyond_since = min(beyond_since, record["mono"])


def _check_complete(facts: Facts, report: Report, shown: dict[str, list[Record]]) -> None:
    connected: dict[str, Record] = {}
    for record in facts.of("connect"):
        connected.setdefault(record["actor"], record)
    for actor, declared in facts.actors.items():
        if not declared["continuous"]:
            continue
        if actor not in connected:
            report.add("I1", f"{actor} follows {', '.join(declared['rooms'])}, expected a connection, found none")
            continue
        first = {record["id"]: record["mono"] for record in reversed(shown.get(actor, []))}
        for room in declared["rooms"]:
            for row in facts.rows_in.get(room, []):
                if not _owed(facts, declared["user"], row, connected[actor]):
                    continue
                if row["id"] not in first:
                    report.lost += 1
                    report.add("I1", f"{actor} never showed {row['id']} ({row['localId']}) of {room}, expected it")
                    continue
                answered = facts.sends[row["user"], row["localId"]].first_ok
                if facts.actors[actor].get("live", True):  # else it was read back at the end
                    report.longest_gap_s = max(report.longest_gap_s, first[row["id"]] - answered)


def _owed(facts: Facts, user: str, row: Record, connected: Record) -> bool:
    """Whether a reader who follows the row's room since `connected` must have shown it."""
    send = facts.sends.get((row["user"], row["localId"]))
    if send is None:
        return False
    if row["seq"] is None or connected["cursor"] is None:
        later = connected["mono"] < send.first_ok < math.inf
    else:
        later = place(row["seq"]) > place(connected["cursor"])
    return later and facts.memberships.surely_in(user, row["room"], send.first_invoke, send.last + SETTLED_S)
