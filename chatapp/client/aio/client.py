"""`AsyncClient`: the service for programs on asyncio."""

import asyncio
import math
import time
from collections.abc import Iterable
from contextlib import suppress
from os import PathLike
from types import TracebackType
from typing import Any
from typing import Self

from chatapp.client.aio.listener import AsyncListener
from chatapp.client.aio.plain_calls import AsyncPlainCalls
from chatapp.client.aio.reply import AsyncReply
from chatapp.client.aio.sending import AsyncSending
from chatapp.client.aio.wire import AsyncWire
from chatapp.client.delivery import delivery
from chatapp.client.errors import Away
from chatapp.client.errors import ChatError
from chatapp.client.errors import Closed
from chatapp.client.growing_text import GrowingText
from chatapp.client.parts import CLOSE_WITHIN_S
from chatapp.client.parts import FLUSH_EVERY_S
from chatapp.client.parts import WAITING_MAX
from chatapp.client.parts import Parts


class AsyncClient(AsyncPlainCalls):
    """One user of one service, used in one loop. `async with` starts the task that sends what is in the outbox.

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
        self._parts = Parts(url, token, name, outbox, waiting_max, AsyncSending)
        self._wire = AsyncWire(self._parts.base_url, self._parts.session)
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def _send(self) -> None:
        with suppress(Closed):
            await self._wire.run(self._parts.sender.flow(), self._something)

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._send(), name="chatapp-outbox")

    def send(
        self, room: str, body: str, data: dict[str, Any] | None = None, *, local_id: str | None = None
    ) -> AsyncSending:
        """Into the outbox, at once; it goes out as soon as it can, in order. The same `local_id` is the same message.

        Called in the loop. The write to the file waits for the disk, a few milliseconds.

        Raises OutboxFull; ValueError and TypeError for what is no JSON; Refused for what is too long for any request;
        Unauthenticated once the session is over.
        """
        sending = self._parts.sender.add(room, body, data, local_id)
        self._start()
        self._something.set()
        return sending

    def sending(self, local_id: str) -> AsyncSending | None:
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

    async def flush(self, timeout: float | None = None) -> bool:
        """Wait until none waits, or so many seconds; whether none does. Raises what ended the session."""
        gives_up_s = math.inf if timeout is None else time.monotonic() + timeout
        while not self._parts.is_empty():
            if time.monotonic() > gives_up_s:
                return False
            await asyncio.sleep(FLUSH_EVERY_S)
        return True

    async def wait_delivered(self, sending: AsyncSending, timeout: float) -> None:
        """Until another member has received it: heard by `listen`, else asked for. Raises Away, Refused."""
        gives_up_s = time.monotonic() + timeout
        await sending.wait(timeout)
        await self._wire.run(delivery(self._parts.sender, sending, gives_up_s))

    def reply(
        self, room: str, data: dict[str, Any] | None = None, *, body: str = "", local_id: str | None = None
    ) -> AsyncReply:
        """A message that grows while it is written: use it in an `async with`. It goes behind what was sent before."""
        return AsyncReply(self._wire, GrowingText(self._parts.outbox, room, body, data, local_id))

    def listen(
        self,
        rooms: Iterable[str] | None = None,
        *,
        since: str | None = None,
        keep: str | None = None,
        patience: float | None = None,
    ) -> AsyncListener:
        """Events, for ever: of these rooms, or of all that the user belongs to.

        Goes on from the cursor that is kept in the outbox's file under the name `keep`; where none is, from `since`, or
        from now. An event is handled when the next one is asked for: one that was not, comes again after a restart.
        An event of the type `reset` means: load anew what you show. With `patience`, raises Away after so many seconds
        without a word from the service; else tries for ever. ValueError for `keep` without a file.
        """
        return AsyncListener(self._wire, self._parts.listening(rooms, since, keep, patience))

    async def close(self, timeout: float = CLOSE_WITHIN_S) -> None:
        """Wait so many seconds for what waits, and end. What waits then stays in the file, for the next client.

        Raises Away if there is no file: what waits then is lost.
        """
        if self._parts.is_closed:
            return
        lost = None
        try:
            with suppress(ChatError):
                await self.flush(timeout)
        finally:
            # Also where this task is called away meanwhile, or that of the outbox was: the file must not stay held.
            try:
                await self._wire.close()
                if self._task is not None:
                    await asyncio.wait((self._task,))
            finally:
                lost = self._parts.close()
        if lost is not None:
            raise lost

    async def __aenter__(self) -> Self:
        self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except Away:
            if error is None:
                raise
