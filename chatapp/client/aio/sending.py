"""`AsyncSending`: an `Outgoing` that a task can await."""

import asyncio
from collections.abc import Generator
from typing import Any

from chatapp.client.errors import Away
from chatapp.client.message import Message
from chatapp.client.outbox import Item
from chatapp.client.outgoing import Outgoing


class AsyncSending(Outgoing):
    """`await client.send(…)` waits until the service has it."""

    def __init__(self, item: Item) -> None:
        self._told = asyncio.Event()
        super().__init__(item)

    async def wait(self, timeout: float | None = None) -> Message:
        """Until the service has it: the message. Raises Refused if it failed, Away after `timeout` seconds.

        After Away it is still on its way.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self
        except TimeoutError:
            raise Away(f"not sent within {timeout} s; it waits in the outbox") from None

    def __await__(self) -> Generator[Any, None, Message]:
        while (message := self.result()) is None:
            self._told.clear()
            yield from self._told.wait().__await__()
        return message

    def _tell(self) -> None:
        self._told.set()
        super()._tell()
