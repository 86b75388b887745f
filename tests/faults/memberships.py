"""`Memberships`: who may be told of a room, and who must be, from changes whose moment is known only within bounds."""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.history import Record

# A leaving that was answered reaches every worker's open streams within this.
TOLD_AFTER_LEAVING_S = 1.0

Key = tuple[str, str]
Span = tuple[float, float]


@dataclass
class Change:
    """One request for a change: it took effect between `start` and `end`, if at all."""

    joined: bool
    start: float
    end: float = math.inf
    sure: bool = False

    def overlaps(self, other: "Change") -> bool:
        return self.start <= other.end and other.start <= self.end


class Memberships:
    def __init__(self, records: Iterable[Record], private: set[str]) -> None:
        self._private = private
        changes_of = _changes(records)
        self._perhaps = {key: _perhaps(changes) for key, changes in changes_of.items()}
        self._surely = {key: _surely(changes) for key, changes in changes_of.items()}
        self._rooms: dict[str, set[str]] = defaultdict(set)
        for user, room in changes_of:
            self._rooms[user].add(room)

    def may_be_told(self, user: str, room: str, at: float) -> bool:
        """Whether the user may hear of the room at this moment. Of a public room everyone may."""
        return room not in self._private or _within(self._perhaps.get((user, room), []), at, at)

    def surely_in(self, user: str, room: str, start: float, end: float) -> bool:
        """Whether the user was a member all this time. With no change on record the user always was."""
        return (user, room) not in self._surely or _within(self._surely[user, room], start, end)

    def rooms(self, user: str) -> set[str]:
        """Rooms that the user ever asked to enter or leave, or was asked for."""
        return self._rooms.get(user, set())


def _changes(records: Iterable[Record]) -> dict[Key, list[Change]]:
    """Requests paired with their outcomes; those that were refused changed nothing."""
    found: dict[Key, list[Change]] = defaultdict(list)
    waiting: dict[tuple[str, str, str, str], list[Change]] = defaultdict(list)
    for record in records:
        key = (record["user"], record["room"])
        same = waiting[record["actor"], *key, record["change"]]
        if record["type"] == "invoke" or not same:
            same.append(Change(record["change"] == "joined", record["mono"]))
            found[key].append(same[-1])
        if record["type"] != "invoke":
            change = same.pop(0)
            change.end = record["mono"]
            change.sure = record["type"] == "ok"
            if record["type"] == "fail":
                found[key].remove(change)
    return found


def _perhaps(changes: list[Change]) -> list[Span]:
    """From the request to join to the answer to a leaving, unless somebody joined at the same time."""
    joins = [one for one in changes if one.joined]
    marks = [(one.start, True) for one in joins]
    for leave in changes:
        if not leave.joined and leave.sure and not any(leave.overlaps(join) for join in joins):
            marks.append((leave.end, False))
    return _spans(marks, inside=_began_inside(changes), grace_s=TOLD_AFTER_LEAVING_S)


def _surely(changes: list[Change]) -> list[Span]:
    """From the answer to a joining to the request to leave, unless somebody left at the same time."""
    leaves = [one for one in changes if not one.joined]
    marks = [(one.start, False) for one in leaves]
    for join in changes:
        if join.joined and join.sure and not any(join.overlaps(leave) for leave in leaves):
            marks.append((join.end, True))
    return _spans(marks, inside=_began_inside(changes), grace_s=0.0)


def _began_inside(changes: list[Change]) -> bool:
    """A user whose first change is a leaving was in before the history began."""
    return bool(changes) and not changes[0].joined


def _spans(marks: list[tuple[float, bool]], inside: bool, grace_s: float) -> list[Span]:
    """Disjoint spans in order, from marks of going in and out."""
    spans: list[Span] = []
    since = -math.inf if inside else None
    for at, goes_in in sorted(marks):
        if goes_in and since is None:
            # Back before the grace of the last leaving ended: as if never gone.
            since = spans.pop()[0] if spans and spans[-1][1] >= at else at
        elif not goes_in and since is not None:
            spans.append((since, at + grace_s))
            since = None
    return spans if since is None else [*spans, (since, math.inf)]


def _within(spans: list[Span], start: float, end: float) -> bool:
    place = bisect_right(spans, (start, math.inf))
    return place > 0 and end <= spans[place - 1][1]
