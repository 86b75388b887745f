"""`Blocking`: a client of asyncio behind the words of its twin, so that both keep one contract in the same tests."""

import asyncio
import inspect
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

from chatapp.client import AsyncClient
from chatapp.client import AsyncListener
from chatapp.client import AsyncReply
from chatapp.client import AsyncSending

WITHIN_S = 40.0
OF_THE_CLIENT = (AsyncClient, AsyncListener, AsyncReply, AsyncSending)


class Loop:
    """A loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any], seconds: float | None = WITHIN_S) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def end(self) -> None:
        self.run(self.loop.shutdown_asyncgens())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(WITHIN_S)
        self.loop.close()


class Blocking:
    """Whatever is asked of it is done in the loop, and waited for."""

    def __init__(self, loop: Loop, thing: Any) -> None:
        self._loop = loop
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._thing, name)
        if not callable(value):
            return value

        async def call(*args: Any, **named: Any) -> Any:
            result = value(*args, **named)
            return await result if inspect.iscoroutine(result) else result

        def blocking(*args: Any, **named: Any) -> Any:
            plain = [one._thing if isinstance(one, Blocking) else one for one in args]
            return self._wrapped(self._loop.run(call(*plain, **named)))

        return blocking

    def _wrapped(self, result: Any) -> Any:
        if result is self._thing:
            return self
        return Blocking(self._loop, result) if isinstance(result, OF_THE_CLIENT) else result

    def __iter__(self) -> "Blocking":
        return self

    def __next__(self) -> Any:
        async def following() -> Any:
            try:
                return await anext(self._thing)
            except StopAsyncIteration:
                return None

        event = self._loop.run(following(), None)
        if event is None:
            raise StopIteration
        return event

    def __enter__(self) -> Any:
        return self._wrapped(self._loop.run(self._thing.__aenter__()))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._loop.run(self._thing.__aexit__(kind, error, tb))
