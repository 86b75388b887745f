"""`Parts`: what a client is made of, whichever twin it is."""

from collections.abc import Callable
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Generic
from typing import TypeVar

from chatapp.client.errors import Away
from chatapp.client.errors import Closed
from chatapp.client.http_request import base_url
from chatapp.client.http_request import check_token
from chatapp.client.kept_cursor import KeptCursor
from chatapp.client.kept_session import KeptSession
from chatapp.client.listening import Listening
from chatapp.client.outbox import Item
from chatapp.client.outbox import Outbox
from chatapp.client.outgoing import Outgoing
from chatapp.client.sender import Sender
from chatapp.client.session import Session
from chatapp.client.store import Store

# As many as a program may leave behind in a long outage; a full outbox takes some megabytes.
WAITING_MAX = 10_000
# How long `close` waits for what is on its way.
CLOSE_WITHIN_S = 5.0
# How soon `flush` notices.
FLUSH_EVERY_S = 0.02

S = TypeVar("S", bound=Outgoing)


class Parts(Generic[S]):
    """Raises ValueError for what is no address or names nobody, OutboxInUse, OutboxOfAnother, OSError."""

    def __init__(
        self,
        url: str,
        token: str | None,
        name: str | None,
        outbox: str | PathLike[str] | None,
        waiting_max: int,
        make: Callable[[Item], S],
    ) -> None:
        if token is None and name is None:
            raise ValueError("give a token, or the name of a guest")
        if token is not None:
            check_token(token)
        self.base_url = base_url(url)
        self.store = Store(None if outbox is None else Path(outbox))
        try:
            self.outbox = Outbox(self.store, waiting_max)
            self.session = Session(token, name, KeptSession(self.store), self.outbox)
        except BaseException:
            self.store.close()
            raise
        self.sender = Sender(self.outbox, make)
        self.is_closed = False

    def is_empty(self) -> bool:
        """Whether nothing waits. Raises what ended the session, where something does."""
        if self.outbox.waiting() == 0:
            return True
        if self.sender.stopped is not None:
            raise self.sender.stopped
        return False

    def listening(
        self, rooms: Iterable[str] | None, since: str | None, keep: str | None, patience_s: float | None
    ) -> Listening:
        if keep is not None and self.store.path is None:
            raise ValueError("a position is kept in the outbox file: give one")
        kept = None if keep is None else KeptCursor(self.store, keep)
        return Listening(rooms, since, kept, patience_s, self.sender.delivered)

    def close(self) -> Away | None:
        """What to say where something is lost by it."""
        if self.is_closed:
            return None
        self.is_closed = True
        # From here on nothing is taken: what waits now is what stays behind.
        self.sender.stop(Closed())
        try:
            waiting = self.outbox.waiting()
        finally:
            self.store.close()
        if waiting and self.store.path is None:
            return Away(f"{waiting} messages were not sent and are lost: there is no outbox file")
        return None
