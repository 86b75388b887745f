"""`LastSeen`: writes down when members were last online in their rooms, some at a time."""

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import update

from chatapp.runtime import Loop
from chatapp.runtime import Recent
from chatapp.storage import Database
from chatapp.storage import Membership
from chatapp.storage import Prepared

AT_ONCE_MAX = 500
# While the database is away; of more the oldest are never written.
UNWRITTEN_MAX = 20_000
GATHER_S = 0.5

_MEMBERSHIPS = cast(Table, Membership.__table__)
SEEN = Prepared.among(
    _MEMBERSHIPS.c.room_id,
    "rooms",
    lambda among_these: (
        update(_MEMBERSHIPS)
        .where(_MEMBERSHIPS.c.user_id == bindparam("user"), among_these)
        .values(last_seen_at=bindparam("moment", type_=_MEMBERSHIPS.c.last_seen_at.type))
    ),
)

# User and moment.
Seen = tuple[str, datetime]


class LastSeen:
    """It may be lost with a worker, and does not wait for the disk: nobody is promised more than a guess."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unwritten: Recent[Seen, list[int]] = Recent(UNWRITTEN_MAX)
        self._loop = Loop("last seen", self._write, interval_s=60.0, pause_s=GATHER_S)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def note(self, room_id: int, user_id: str, moment: datetime) -> None:
        self._unwritten.setdefault((user_id, moment), []).append(room_id)
        self._loop.wake()

    def _write(self) -> None:
        some = sorted((seen, self._unwritten.pop(seen)) for seen in list(islice(self._unwritten, AT_ONCE_MAX)))
        if not some:
            return
        try:
            self._store(some)
        except Exception:
            for seen, room_ids in some:
                self._unwritten.setdefault(seen, []).extend(room_ids)
            raise
        if self._unwritten:
            self._loop.wake()

    def _store(self, some: Sequence[tuple[Seen, list[int]]]) -> None:
        rows = [
            {"user": user_id, "moment": moment, "rooms": json.dumps(room_ids)} for (user_id, moment), room_ids in some
        ]
        self._database.write_rows(lambda tx: tx.run(SEEN, rows), durable=False)
