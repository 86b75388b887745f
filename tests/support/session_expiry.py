"""`set_expiry`: the end of a person's session, moved in the database of a service on SQLite."""

import sqlite3
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

from tests.support.person import Person
from tests.support.service import Service


def set_expiry(service: Service, person: Person, days: float) -> None:
    """To this many days from now. A worker looks at a session again after at most 20 s."""
    ends_at = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=days)
    with sqlite3.connect(Path(service.settings["CHATAPP_DATA"]) / "chat.db", timeout=10) as database:
        changed = database.execute(
            "UPDATE sessions SET expires_at = ? WHERE user_id = ?", (ends_at.isoformat(" "), person.id)
        )
        assert changed.rowcount == 1
    database.close()
