"""`KeptCursor`: how far a listener has come, under a name, in the outbox's file."""

from chatapp.client.store import Store


class KeptCursor:
    """Written after the listener has taken an event: what was taken and not kept comes again."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name

    def load(self) -> str | None:
        with self._store.reading() as connection:
            row = connection.execute("SELECT cursor FROM cursors WHERE name = ?", (self._name,)).fetchone()
        return None if row is None else row[0]

    def keep(self, cursor: str) -> None:
        # Without a wait for the disk: after a power cut a few events come again, and none is lost.
        with self._store.light_transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (self._name, cursor))
