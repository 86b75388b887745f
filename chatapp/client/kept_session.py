"""`KeptSession`: whose file this is, and a guest's token, so that a restart is the same guest."""

from dataclasses import dataclass

from chatapp.client.errors import OutboxOfAnother
from chatapp.client.message import User
from chatapp.client.store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """`guest` is the name that was asked for, None for the user of a given token, which is not kept."""

    user: User
    guest: str | None
    token: str | None


class KeptSession:
    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self) -> Kept | None:
        with self._store.reading() as connection:
            row = connection.execute("SELECT user_id, user_name, guest, token FROM session").fetchone()
        return None if row is None else Kept(User(row[0], row[1]), row[2], row[3])

    def keep(self, kept: Kept) -> None:
        """The file is theirs from now on."""
        row = (kept.user.id, kept.user.name, kept.guest, kept.token)
        with self._store.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO session VALUES (1, ?, ?, ?, ?)", row)

    def of(self, guest: str | None) -> Kept | None:
        """What is kept for this guest, or for the user of a token. Raises OutboxOfAnother."""
        kept = self.load()
        if kept is not None and kept.guest != guest:
            whose = f"the guest {kept.guest!r}" if kept.guest is not None else f"the user {kept.user.id}"
            raise OutboxOfAnother(f"{self._store.path} belongs to {whose}")
        return kept
