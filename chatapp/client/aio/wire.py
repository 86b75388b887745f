"""`AsyncWire`: performs the steps of flows in a loop."""

import asyncio
from contextlib import suppress
from typing import TypeVar

import httpx

from chatapp.client.aio.open_answer import OpenAnswer
from chatapp.client.answer import Answer
from chatapp.client.errors import Closed
from chatapp.client.http_request import no_answer
from chatapp.client.http_request import no_cookies
from chatapp.client.http_request import request_of
from chatapp.client.session import Session
from chatapp.client.step import Call
from chatapp.client.step import Flow
from chatapp.client.step import Idle
from chatapp.client.step import Open
from chatapp.client.step import Outcome
from chatapp.client.step import Pause
from chatapp.client.step import Step

T = TypeVar("T")


class AsyncWire:
    """Belongs to one loop. After `close` every flow ends with Closed."""

    def __init__(self, base_url: str, session: Session) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, cookies=no_cookies())
        self._session = session
        self._opening = asyncio.Lock()
        self._closed = asyncio.Event()

    async def run(self, flow: Flow[T], woken: asyncio.Event | None = None) -> T:
        """To its end. `woken` ends what is Idle."""
        try:
            step = next(flow)
            while True:
                step = (await self.perform(step, woken)).resume(flow)
        except StopIteration as end:
            result: T = end.value
            return result

    async def perform(
        self, step: Step, woken: asyncio.Event | None = None, answer: OpenAnswer | None = None
    ) -> Outcome:
        """`answer` is where Open and Read belong. What is under way ends when the wire is closed."""
        if self._closed.is_set():
            return Outcome(error=Closed())
        ends = (self._closed,) if answer is None else (self._closed, answer.is_shut)
        work = asyncio.ensure_future(self._perform(step, woken, answer))
        waits = [asyncio.ensure_future(end.wait()) for end in ends]
        try:
            await asyncio.wait((work, *waits), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, *waits):
                task.cancel()
            await asyncio.wait((work, *waits))
        error = None if work.cancelled() else work.exception()
        # What comes after the end is not taken any more: the outbox sends it again next time.
        if work.cancelled() or any(end.is_set() for end in ends):
            return Outcome(error=Closed())
        return Outcome(error=error) if isinstance(error, Exception) else Outcome(work.result())

    def open_answer(self) -> OpenAnswer:
        """For one flow that opens answers piece by piece."""
        return OpenAnswer(self._http)

    async def close(self) -> None:
        self._closed.set()
        await self._http.aclose()

    async def _perform(self, step: Step, woken: asyncio.Event | None, answer: OpenAnswer | None) -> object:
        if isinstance(step, Call):
            return await self._call(step)
        if isinstance(step, Idle):
            assert woken is not None
            await _idle(woken, step.seconds)
            return None
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        assert answer is not None
        if isinstance(step, Open):
            request = request_of(self._http, step.call, await self._token(step.call))
            return await answer.open(request, step.within_s)
        return await answer.read(step.within_s)

    async def _call(self, call: Call) -> Answer:
        request = request_of(self._http, call, await self._token(call))
        try:
            response = await self._http.send(request)
        except httpx.HTTPError as error:
            raise no_answer(error) from None
        return Answer(response.status_code, response.headers, response.content)

    async def _token(self, call: Call) -> str | None:
        if call.opens_session:
            return call.token
        if not self._session.is_open:
            async with self._opening:
                if not self._session.is_open:
                    await self.run(self._session.opening())
        return self._session.token


async def _idle(woken: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()
    woken.clear()
