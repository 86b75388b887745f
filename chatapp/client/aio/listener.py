"""`AsyncListener`: the events of a listening, for an `async for` loop."""

import asyncio
from types import TracebackType
from typing import Self

from chatapp.client.aio.wire import AsyncWire
from chatapp.client.event import Event
from chatapp.client.listening import Listening
from chatapp.client.step import Outcome
from chatapp.client.step import Step


class AsyncListener:
    """Asking for the next event says that the one before was handled: then its cursor is kept."""

    def __init__(self, wire: AsyncWire, listening: Listening) -> None:
        self._wire = wire
        self._listening = listening
        self._flow = listening.flow()
        self._step: Step | Event | None = None
        self._work: asyncio.Future[Outcome] | None = None
        self._answer = wire.open_answer()

    @property
    def cursor(self) -> str | None:
        """Up to where everything was handled; None before the service was heard."""
        return self._listening.cursor

    @property
    def transport(self) -> str:
        """`stream` or `poll`."""
        return self._listening.transport

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Waits for as long as it takes. Raises Refused, Unauthenticated, Closed, Away (see `AsyncClient.listen`)."""
        try:
            if self._step is None:
                self._step = next(self._flow)
            while not isinstance(self._step, Event):
                outcome = await self._outcome(self._step)
                self._step = outcome.resume(self._flow)
        except StopIteration:
            raise StopAsyncIteration from None
        event, self._step = self._step, None
        return event

    async def close(self) -> None:
        """From another task: whoever waits for the next event gets Closed."""
        self._answer.is_shut.set()
        if self._work is not None:
            await asyncio.wait((self._work,))
        await self._answer.let_go()

    async def _outcome(self, step: Step) -> Outcome:
        """Where a task is called away, by a time-out for example, the work goes on for whoever asks next."""
        if self._work is None:
            self._work = asyncio.ensure_future(self._wire.perform(step, answer=self._answer))
        outcome = await asyncio.shield(self._work)
        self._work = None
        return outcome

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()
