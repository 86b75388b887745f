"""`OpenAnswer`: an answer that comes piece by piece, for a task."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from chatapp.client.answer import Answer
from chatapp.client.errors import NoAnswer
from chatapp.client.http_request import no_answer


class OpenAnswer:
    """One at a time; opening another lets go of the one before."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        # Whoever waits then gets Closed.
        self.is_shut = asyncio.Event()
        self._response: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def open(self, request: httpx.Request, within_s: float) -> Answer:
        """Status and headers. Raises NoAnswer."""
        await self.let_go()
        try:
            async with asyncio.timeout(within_s):
                self._response = await self._http.send(request, stream=True)
        except TimeoutError:
            raise _silence(within_s) from None
        except httpx.HTTPError as error:
            raise no_answer(error) from None
        self._pieces = self._response.aiter_bytes()
        return Answer(self._response.status_code, self._response.headers)

    async def read(self, within_s: float) -> bytes:
        """The next bytes, none at the end. Raises NoAnswer."""
        assert self._pieces is not None
        try:
            async with asyncio.timeout(max(0.0, within_s)):
                return await anext(self._pieces, b"")
        except TimeoutError:
            await self.let_go()
            raise _silence(within_s) from None
        except httpx.HTTPError as error:
            raise no_answer(error) from None

    async def let_go(self) -> None:
        response, self._response, self._pieces = self._response, None, None
        if response is not None:
            await response.aclose()


def _silence(within_s: float) -> NoAnswer:
    return NoAnswer(f"nothing came for {within_s:.0f} s", timed_out=True)
