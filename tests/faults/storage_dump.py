"""What the database holds in the end, read past the service."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from chatapp.wire.cursor import Cursor
from tests.faults.history import digest

MESSAGES = sa.text(
    "SELECT r.name, m.id, m.sender_id, m.local_id, m.log_id, m.body, m.status"
    " FROM messages m JOIN rooms r ON r.id = m.room_id"
)


def rows(database_url: str) -> Iterator[dict[str, Any]]:
    """Every message as a checker's `row`."""
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        for room, id_, user, local_id, log_id, body, status in connection.execute(MESSAGES):
            seq = None if log_id is None else str(Cursor(log_id))
            yield {
                "room": room,
                "id": id_,
                "user": user,
                "localId": local_id,
                "seq": seq,
                "hash": digest(body),
                "status": status,
            }
