"""`Outbox`: what is to be sent, until the service has it or refuses it for good."""

import json
from dataclasses import dataclass
from typing import Any
from typing import Literal

from chatapp.client.errors import OutboxFull
from chatapp.client.store import Store

State = Literal["sending", "sent", "delivered", "failed"]

# So many that are done are remembered: the same localId again is the same message, without asking the service.
DONE_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Item:
    """`outcome` is the message when sent, the problem document when failed."""

    number: int
    local_id: str
    room: str
    document: dict[str, Any]
    state: State
    outcome: dict[str, Any] | None


_COLUMNS = "number, local_id, room, document, state, outcome"


class Outbox:
    """Every change is durable when the method returns. Order is that of `add`."""

    def __init__(self, store: Store, waiting_max: int) -> None:
        self._store = store
        self._waiting_max = waiting_max

    def add(self, room: str, document: dict[str, Any]) -> Item:
        """Take it, or give back what was taken before under its localId; a failed one starts over, at the end.

        Raises OutboxFull; ValueError for a localId of another room.
        """
        local_id = document["localId"]
        with self._store.transaction() as connection:
            known = _item(
                connection.execute(f"SELECT {_COLUMNS} FROM items WHERE local_id = ?", (local_id,)).fetchone()
            )
            if known is not None and known.room != room:
                raise ValueError(f"the local_id {local_id!r} was used in {known.room!r}")
            if known is not None and known.state != "failed":
                return known
            if self._count(None) >= self._waiting_max:
                raise OutboxFull(f"{self._waiting_max} messages wait to be sent")
            connection.execute("DELETE FROM items WHERE local_id = ?", (local_id,))
            row = (local_id, room, json.dumps(document))
            done = connection.execute(
                "INSERT INTO items (local_id, room, document, state) VALUES (?, ?, ?, 'sending')", row
            )
            assert done.lastrowid is not None
            return Item(done.lastrowid, local_id, room, document, "sending", None)

    def heads(self) -> list[Item]:
        """The first that waits in each room, in the order in which they were added."""
        first = "SELECT min(number) FROM items WHERE state = 'sending' GROUP BY room"
        with self._store.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM items WHERE number IN ({first}) ORDER BY number"
            ).fetchall()
        return [item for item in map(_item, rows) if item is not None]

    def settle(self, local_id: str, state: State, outcome: dict[str, Any]) -> None:
        """It goes on to this state; what is long done is forgotten."""
        row = (state, json.dumps(outcome), local_id)
        with self._store.transaction() as connection:
            connection.execute("UPDATE items SET state = ?, outcome = ? WHERE local_id = ?", row)
            connection.execute(
                "DELETE FROM items WHERE state != 'sending' AND number <= (SELECT number FROM items"
                " WHERE state != 'sending' ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (DONE_MAX,),
            )

    def deliver(self, local_id: str) -> bool:
        """What was sent is delivered, or was already. Whether it is known here as sent."""
        with self._store.light_transaction() as connection:
            change = "UPDATE items SET state = 'delivered' WHERE local_id = ? AND state IN ('sent', 'delivered')"
            return connection.execute(change, (local_id,)).rowcount == 1

    def find(self, local_id: str) -> Item | None:
        with self._store.reading() as connection:
            return _item(connection.execute(f"SELECT {_COLUMNS} FROM items WHERE local_id = ?", (local_id,)).fetchone())

    def waiting(self, room: str | None = None) -> int:
        """How many wait, in this room or in all."""
        with self._store.reading():
            return self._count(room)

    def _count(self, room: str | None) -> int:
        with self._store.reading() as connection:
            where, values = ("", ()) if room is None else (" AND room = ?", (room,))
            [count] = connection.execute(
                f"SELECT count(*) FROM items WHERE state = 'sending'{where}", values
            ).fetchone()
        return int(count)


def _item(row: tuple[Any, ...] | None) -> Item | None:
    if row is None:
        return None
    number, local_id, room, document, state, outcome = row
    return Item(number, local_id, room, json.loads(document), state, None if outcome is None else json.loads(outcome))
