"""`AsyncReply`: writes a reply that grows, from a task."""

import asyncio
from types import TracebackType
from typing import Self

from chatapp.client.aio.wire import AsyncWire
from chatapp.client.errors import ChatError
from chatapp.client.growing_text import GrowingText
from chatapp.client.message import Message


class AsyncReply:
    """`async with client.reply(room) as reply: await reply.write(…)`. A task of its own appends what is written.

    After an exception it ends as it stands. After a kill -9 the service ends it, a minute after the last append.
    """

    def __init__(self, wire: AsyncWire, growing: GrowingText) -> None:
        self._wire = wire
        self._growing = growing
        self._written = asyncio.Event()
        self._appender: asyncio.Task[None] | None = None
        self._trouble: ChatError | None = None

    @property
    def message(self) -> Message | None:
        """As it was last answered: at its begin, and at its end."""
        return self._growing.message

    @property
    def text(self) -> str:
        """All that was written so far."""
        return self._growing.text

    async def begin(self) -> Self:
        """What `async with` does. Raises Away, Refused."""
        await self._wire.run(self._growing.beginning())
        self._appender = asyncio.create_task(self._append(), name="chatapp-reply")
        return self

    async def write(self, text: str) -> None:
        """Returns at once; it is appended within about 0.1 s. Raises what an earlier append met: Away, Refused."""
        if self._trouble is not None:
            raise self._trouble
        self._growing.write(text)
        self._written.set()
        # Whoever writes in a ring gives the appender its turn.
        await asyncio.sleep(0)

    async def finish(self, body: str | None = None) -> Message:
        """Returns when the whole is stored. A body stands instead of what was written.

        Raises Away, Refused, ReplyEnded.
        """
        self._growing.finish_soon()
        self._written.set()
        if self._appender is not None:
            # Whoever is called away from here leaves the appender at its work, for the next `finish`.
            await asyncio.wait((self._appender,))
        return await self._wire.run(self._growing.finishing(body))

    async def _append(self) -> None:
        try:
            await self._wire.run(self._growing.appending(), self._written)
        except ChatError as error:
            self._trouble = error

    async def __aenter__(self) -> Self:
        return await self.begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._growing.finished:
            return
        try:
            await self.finish()
        except ChatError:
            # What went wrong first is what the caller has to know.
            if error is None:
                raise
