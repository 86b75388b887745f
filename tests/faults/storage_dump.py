"""What the database holds in the end, read past the service."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from chatapp.wire.cursor import Cursor
from tests.faults.grower import PREFIX
from tests.faults.history import digest

MESSAGES = sa.text(
    "SELECT r.name, m.id, m.sender_id, m.local_id, m.log_id, m.body, m.status"
    " FROM messages m JOIN rooms r ON r.id = m.room_id"
)


GROWN = sa.text("SELECT id, body, growing FROM messages WHERE local_id LIKE :prefix")
PIECES = sa.text("SELECT message_id, text FROM pieces ORDER BY message_id, at")


def grown_rows(database_url: str) -> Iterator[dict[str, Any]]:
    """Every reply that grows or grew, as a checker's `grown_row`."""
    with _engine(database_url).connect() as connection:
        added: dict[str, str] = {}
        for id_, text in connection.execute(PIECES):
            added[id_] = added.get(id_, "") + text
        for id_, body, growing in connection.execute(GROWN, {"prefix": f"{PREFIX}%"}):
            yield {"id": id_, "text": body + added.get(id_, ""), "growing": bool(growing)}


def rows(database_url: str) -> Iterator[dict[str, Any]]:
    """Every message as a checker's `row`."""
    with _engine(database_url).connect() as connection:
        for room, id_, user, local_id, log_id, body, status in connection.execute(MESSAGES):
            seq = None if log_id is None else str(Cursor(log_id))
            if local_id.startswith(PREFIX):
                continue
            yield {
                "room": room,
                "id": id_,
                "user": user,
                "localId": local_id,
                "seq": seq,
                "hash": digest(body),
                "status": status,
            }


def _engine(database_url: str) -> sa.Engine:
    return sa.create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
