"""`Facts`: a history in order of time, sorted by what it speaks of."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field

from tests.faults.history import Record
from tests.faults.memberships import Memberships

# A sender and the name that the sender gave to a message.
Key = tuple[str, str]


@dataclass
class Send:
    """All attempts at one localId of one user."""

    rooms: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    oks: list[Record] = field(default_factory=list)
    attempts: int = 0
    refusals: int = 0
    unknown: int = 0
    first_invoke: float = math.inf
    first_ok: float = math.inf
    last: float = -math.inf

    @property
    def open(self) -> bool:
        """An attempt may have been stored without anyone having been told."""
        return self.unknown > 0 or self.attempts > len(self.oks) + self.refusals

    def take(self, record: Record) -> None:
        self.last = record["mono"]
        if record["type"] == "invoke":
            self.attempts += 1
            self.rooms.add(record["room"])
            self.hashes.add(record["hash"])
            self.first_invoke = min(self.first_invoke, record["mono"])
        elif record["type"] == "ok":
            self.oks.append(record)
            self.first_ok = min(self.first_ok, record["mono"])
        elif record["type"] == "fail":
            self.refusals += 1
        else:
            self.unknown += 1


class Facts:
    def __init__(self, records: Iterable[Record]) -> None:
        self._of: dict[tuple[str, str], list[Record]] = defaultdict(list)
        members: list[Record] = []
        self.sends: dict[Key, Send] = defaultdict(Send)
        # Threads and processes may write a little out of turn.
        for record in sorted(records, key=lambda one: one["mono"]):
            self._of[record["f"], record["type"]].append(record)
            if record["f"] == "member":
                members.append(record)
            elif record["f"] == "send":
                self.sends[record["user"], record["localId"]].take(record)
        self.actors = {record["actor"]: record for record in self.of("actor")}
        self.memberships = Memberships(
            members, private={one["room"] for one in self.of("room") if one["visibility"] != "public"}
        )
        self.rows = {record["id"]: record for record in self.of("row")}
        self.rows_of: dict[Key, list[Record]] = defaultdict(list)
        self.rows_in: dict[str, list[Record]] = defaultdict(list)
        for row in self.rows.values():
            self.rows_of[row["user"], row["localId"]].append(row)
            self.rows_in[row["room"]].append(row)

    def of(self, f: str, *types: str) -> list[Record]:
        """The records of these types (`ok` unless told otherwise), each type in order of time."""
        return [record for type_ in types or ("ok",) for record in self._of.get((f, type_), [])]

    def user(self, actor: str) -> str | None:
        """Whose client this is; None for one that is no client."""
        declared = self.actors.get(actor)
        return None if declared is None else str(declared["user"])

    def rooms(self, actor: str) -> set[str]:
        """The rooms that a cursor from this client speaks of."""
        declared = self.actors.get(actor)
        return set() if declared is None else {*declared["rooms"], *self.memberships.rooms(declared["user"])}
