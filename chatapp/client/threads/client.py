"""`Client`: the service for programs with threads, or with one."""

import math
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from os import PathLike
from types import TracebackType
from typing import Any
from typing import Self

from chatapp.client.delivery import delivery
from chatapp.client.errors import Away
from chatapp.client.errors import ChatError
from chatapp.client.errors import Closed
from chatapp.client.growing_text import GrowingText
from chatapp.client.parts import CLOSE_WITHIN_S
from chatapp.client.parts import FLUSH_EVERY_S
from chatapp.client.parts import WAITING_MAX
from chatapp.client.parts import Parts
from chatapp.client.threads.listener import Listener
from chatapp.client.threads.plain_calls import PlainCalls
from chatapp.client.threads.reply import Reply
from chatapp.client.threads.sending import Sending
from chatapp.client.threads.wire import Wire


class Client(PlainCalls):
    """One user of one service; may be used by many threads. A thread of its own sends what is in the outbox.

    Give the token of a session or of a host, or the `name` of a guest; both for the guest whose last session had this
    token. With an `outbox` file, what is sent survives the process, and the guest is the same one after a restart;
    without, both are kept in memory. At most `waiting_max` messages wait. Nothing is asked of the service here: it may
    be away.

    Raises ValueError, OutboxInUse (another client has the file), OutboxOfAnother, OSError.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        name: str | None = None,
        outbox: str | PathLike[str] | None = None,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._parts = Parts(url, token, name, outbox, waiting_max, Sending)
        self._wire = Wire(self._parts.base_url, self._parts.session)
        self._something = threading.Event()
        self._thread = threading.Thread(target=self._send, name="chatapp-outbox", daemon=True)
        self._thread.start()

    def _send(self) -> None:
        with suppress(Closed):
            self._wire.run(self._parts.sender.flow(), self._something)

    def send(self, room: str, body: str, data: dict[str, Any] | None = None, *, local_id: str | None = None) -> Sending:
        """Into the outbox, at once; it goes out as soon as it can, in order. The same `local_id` is the same message.

        Raises OutboxFull; ValueError and TypeError for what is no JSON; Refused for what is too long for any request;
        Unauthenticated once the session is over.
        """
        sending = self._parts.sender.add(room, body, data, local_id)
        self._something.set()
        return sending

    def sending(self, local_id: str) -> Sending | None:
        """What was given to `send` under this localId, also before a restart; None if it is unknown or long done."""
        return self._parts.sender.find(local_id)

    @property
    def token(self) -> str | None:
        """Of the session, by which another client is the same user. None for a guest who has asked for nothing yet."""
        return self._parts.session.token

    @property
    def waiting(self) -> int:
        """How many messages wait in the outbox."""
        return self._parts.outbox.waiting()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until none waits, or so many seconds; whether none does. Raises what ended the session."""
        gives_up_s = math.inf if timeout is None else time.monotonic() + timeout
        while not self._parts.is_empty():
            if time.monotonic() > gives_up_s:
                return False
            time.sleep(FLUSH_EVERY_S)
        return True

    def wait_delivered(self, sending: Sending, timeout: float) -> None:
        """Until another member has received it: heard by `listen`, else asked for. Raises Away, Refused."""
        gives_up_s = time.monotonic() + timeout
        sending.wait(timeout)
        self._wire.run(delivery(self._parts.sender, sending, gives_up_s))

    def reply(
        self, room: str, data: dict[str, Any] | None = None, *, body: str = "", local_id: str | None = None
    ) -> Reply:
        """A message that grows while it is written: use it in a `with`. It goes behind what was sent before."""
        return Reply(self._wire, GrowingText(self._parts.outbox, room, body, data, local_id))

    def listen(
        self,
        rooms: Iterable[str] | None = None,
        *,
        since: str | None = None,
        keep: str | None = None,
        patience: float | None = None,
    ) -> Listener:
        """Events, for ever: of these rooms, or of all that the user belongs to.

        Goes on from the cursor that is kept in the outbox's file under the name `keep`; where none is, from `since`, or
        from now. An event is handled when the next one is asked for: one that was not, comes again after a restart.
        An event of the type `reset` means: load anew what you show. With `patience`, raises Away after so many seconds
        without a word from the service; else tries for ever. ValueError for `keep` without a file.
        """
        return Listener(self._wire, self._parts.listening(rooms, since, keep, patience))

    def close(self, timeout: float = CLOSE_WITHIN_S) -> None:
        """Wait so many seconds for what waits, and end. What waits then stays in the file, for the next client.

        Raises Away if there is no file: what waits then is lost.
        """
        if self._parts.is_closed:
            return
        lost = None
        try:
            with suppress(ChatError):
                self.flush(timeout)
        finally:
            # Also where it is interrupted meanwhile: the file must not stay held.
            self._wire.close()
            self._something.set()
            # What watches a message is called in that thread, and may close the client.
            if threading.current_thread() is not self._thread:
                self._thread.join(CLOSE_WITHIN_S)
            lost = self._parts.close()
        if lost is not None:
            raise lost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            self.close()
        except Away:
            if error is None:
                raise
