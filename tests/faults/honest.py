"""`Honest`: a made-up service that keeps every promise, and the history that its clients would write."""

from collections import defaultdict
from typing import Any

from tests.faults.history import Record
from tests.faults.history import digest

STEP_S = 0.1
BEGIN_MS = 1_763_781_234_000


class Honest:
    """Every call is something that happens. `records` is the history so far."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.now = 1_000.0
        self._rows: list[Record] = []
        self._inside: dict[str, list[str]] = defaultdict(list)
        self._readers: dict[str, list[str]] = {}
        self._cursors: dict[str, str] = {}
        self._waiting: list[Record] | None = None
        self._number = 0

    def write(self, actor: str, f: str, type_: str = "ok", **fields: Any) -> Record:
        self.now += STEP_S
        record = {"mono": self.now, "wall": self.now, "actor": actor, "f": f, "type": type_, **fields}
        self.records.append(record)
        return record

    def cursor(self) -> str:
        return f"{BEGIN_MS + self._number // 3}-{self._number % 3}"

    def room(self, name: str, visibility: str, *users: str) -> None:
        self.write("lab", "room", room=name, visibility=visibility)
        for user in users:
            self.move(user, name, "joined")

    def move(self, user: str, room: str, change: str) -> None:
        """Join, or leave; the user is told of it."""
        self.write("lab", "member", "invoke", user=user, room=room, change=change)
        self._inside[room] = [*self._inside[room], user] if change == "joined" else self._without(room, user)
        self.write("lab", "member", user=user, room=room, change=change)
        for reader, rooms in self._readers.items():
            if reader == user and room in rooms:
                self._number += 1
                about: Record = {"id": None, "localId": None, "user": user, "seq": None, "hash": None, "status": None}
                self._deliver(reader, {"event": f"member.{change}", "room": room, "cursor": self.cursor(), **about})

    def sender(self, user: str, *rooms: str) -> None:
        """A client under the user's own name that keeps no view."""
        self.write(user, "actor", user=user, continuous=False, rooms=list(rooms))

    def reader(self, user: str, *rooms: str) -> None:
        self.write(user, "actor", user=user, continuous=True, rooms=list(rooms))
        self._readers[user] = list(rooms)
        self._connect(user, None)

    def send(self, user: str, room: str, unknown: bool = False) -> str:
        """Send; with `unknown` the first answer is lost and the client tries again. Returns the localId."""
        local_id = self._invoke(user, room)
        self._number += 1
        row: Record = {"room": room, "id": f"id-{self._number:04d}", "user": user, "localId": local_id}
        row |= {"seq": None, "hash": digest(local_id), "status": "sent"}
        self._rows.append(row)
        if unknown:
            self.write(user, "send", "info", user=user, localId=local_id, reason="no answer")
            self.write(user, "send", "invoke", user=user, room=room, localId=local_id, hash=row["hash"])
        if self._waiting is None:
            row["seq"] = self.cursor()
        answer = {name: row[name] for name in ("user", "room", "localId", "id", "seq")}
        self.write(user, "send", **answer, status=200 if unknown else 201)
        if self._waiting is None:
            self._publish(row)
        else:
            self._waiting.append(row)
        return local_id

    def refused(self, user: str, room: str) -> str:
        local_id = self._invoke(user, room)
        self.write(user, "send", "fail", user=user, localId=local_id, status=403, code="forbidden")
        return local_id

    def ack(self, user: str) -> None:
        """Confirm what the user's client has; the senders of what it reached are told."""
        self.write(user, "ack", cursor=self._cursors[user], rooms=self._readers[user])
        for row in self._rows:
            if row["seq"] is not None and user in self._inside[row["room"]] and row["status"] == "sent":
                row["status"] = "delivered"
                self.write(row["user"], "receipt", id=row["id"], status="delivered", deliveredTo=1)

    def outage(self) -> None:
        """Readers lose their connections, and the log takes nothing."""
        self.write("nemesis", "fault", "invoke", what="redis")
        self._waiting = []
        for reader in self._readers:
            self.write(reader, "disconnect", "info", conn=f"{reader}-1", reason="cut")
        self.write("nemesis", "fault", what="redis")

    def heal(self, seconds: float) -> None:
        """After this long all come back with their cursors, and what waited is published in order."""
        self.now += seconds
        waiting, self._waiting = self._waiting or [], None
        self.write("nemesis", "heal")
        for reader in self._readers:
            self._connect(reader, self._cursors[reader])
        for row in waiting:
            self._number += 1
            row["seq"] = self.cursor()
            self._publish(row)
        self.write("lab", "converged", seconds=1.5)

    def finish(self) -> list[Record]:
        """The final state: rows, and what comes after cursors that were handed out."""
        for row in self._rows:
            self.write("lab", "row", **row)
        for user, rooms in self._readers.items():
            mine = [room for room in rooms if user in self._inside[room]]
            ids = [row["id"] for row in self._rows if row["room"] in mine]
            self.write("lab", "drain", user=user, since="0-0", rooms=mine, ids=ids)
            self.write("lab", "drain", user=user, since=self.cursor(), rooms=mine, ids=[])
        return self.records

    def _invoke(self, user: str, room: str) -> str:
        self._number += 1
        local_id = f"local-{self._number:04d}"
        self.write(user, "send", "invoke", user=user, room=room, localId=local_id, hash=digest(local_id))
        return local_id

    def _connect(self, reader: str, cursor: str | None) -> None:
        self.write(reader, "connect", "invoke", conn=f"{reader}-1", cursor=cursor)
        self._cursors[reader] = cursor or self.cursor()
        self.write(reader, "connect", conn=f"{reader}-1", cursor=self._cursors[reader])

    def _publish(self, row: Record) -> None:
        for reader, rooms in self._readers.items():
            if row["room"] in rooms and reader in self._inside[row["room"]]:
                self._deliver(reader, {"event": "message.created", "cursor": row["seq"], **row})
                shown = {name: row[name] for name in ("room", "id", "localId", "user", "seq", "hash")}
                self.write(reader, "shown", **shown)

    def _deliver(self, reader: str, event: Record) -> None:
        self.write(reader, "deliver", conn=f"{reader}-1", **event)
        self._cursors[reader] = event["cursor"]

    def _without(self, room: str, user: str) -> list[str]:
        return [one for one in self._inside[room] if one != user]


def story() -> list[Record]:
    """Two senders, three readers, a public room and a private one that the third reader is removed from."""
    honest = Honest()
    honest.room("hall", "public")
    for user in ("ada", "bob", "rae", "ray", "roy"):
        honest.move(user, "hall", "joined")
    honest.room("den", "private", "ada", "bob", "rae", "ray", "roy")
    honest.sender("ada", "hall", "den")
    honest.sender("bob", "hall", "den")
    for reader in ("rae", "ray", "roy"):
        honest.reader(reader, "hall", "den")
    for _ in range(6):
        honest.send("ada", "hall")
        honest.send("bob", "den")
    honest.ack("rae")
    honest.send("ada", "den", unknown=True)
    honest.refused("bob", "attic")
    # Long enough that what came before the removal had to reach the removed.
    honest.now += 20.0
    honest.move("roy", "den", "left")
    for _ in range(4):
        honest.send("bob", "den")
        honest.send("ada", "hall")
    honest.outage()
    honest.send("ada", "hall")
    honest.heal(3.0)
    honest.send("bob", "hall", unknown=True)
    honest.ack("ray")
    return honest.finish()
