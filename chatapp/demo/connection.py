"""`serve`: one request of a browser through a side's network, and its answer."""

import asyncio
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from contextlib import asynccontextmanager
from typing import Protocol
from typing import TypeVar

from chatapp.demo import heads

T = TypeVar("T")

# What waits in memory for one direction; the rest waits in the sockets, and with whoever writes.
BUFFER_BYTES = 64 * 1024
HEAD_S = 10.0
CONNECT_S = 5.0
# A reader that takes nothing for so long is let go.
WRITE_S = 30.0
# The longest silence: a poll waits for a minute at most, a stream beats every 15 s.
SILENCE_S = 120.0


class Network(Protocol):
    """What `serve` asks of the side that it runs for, at the moment when it matters."""

    target: tuple[str, int]
    ancestors: str

    def holds(self) -> bool: ...
    def swallows(self) -> bool: ...
    def say(self, text: str) -> None: ...
    def live(self) -> None: ...


Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


async def serve(network: Network, reader: Reader, writer: Writer) -> None:
    """Until either side is through. What goes wrong in between ends it without a word, as networks do."""
    head = await _within(HEAD_S, reader.readuntil(heads.END))
    request = heads.request(head)
    if request.is_live:
        network.live()
    async with _connected(network.target) as (server_reader, server_writer):
        await _write(server_writer, heads.for_one_answer(head))
        # The rest of the request; after it, this waits for the browser to go away.
        asking = asyncio.create_task(_copy(reader, server_writer))
        answering = asyncio.create_task(_answer(network, request, server_reader, writer))
        try:
            await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asking.cancel()
            answering.cancel()
            await asyncio.gather(asking, answering, return_exceptions=True)


async def _answer(network: Network, request: heads.Request, reader: Reader, writer: Writer) -> None:
    try:
        head = await _within(SILENCE_S, reader.readuntil(heads.END))
    except (OSError, asyncio.IncompleteReadError):
        if request.shown:
            network.say(f"{request.shown}: the server went away")
        return
    answer = heads.answer(head)
    said = f"{request.shown} {answer.status}"
    if request.is_send and network.swallows():
        network.say(f"{said}, answer dropped")
        return
    if answer.is_stream and network.holds():
        network.say(f"{request.shown}: stream held back")
        # The browser gives up first; nothing is read meanwhile, so nothing piles up here.
        await asyncio.sleep(SILENCE_S)
        return
    if request.shown:
        network.say(said)
    await _write(writer, heads.framed_by(head, network.ancestors))
    await _copy(reader, writer, SILENCE_S)


async def _copy(reader: Reader, writer: Writer, silence_s: float | None = None) -> None:
    while data := await _within(silence_s, reader.read(BUFFER_BYTES)):
        await _write(writer, data)


async def _write(writer: Writer, data: bytes) -> None:
    writer.write(data)
    await _within(WRITE_S, writer.drain())


async def _within(seconds: float | None, awaited: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaited, seconds)


@asynccontextmanager
async def _connected(target: tuple[str, int]) -> AsyncIterator[tuple[Reader, Writer]]:
    reader, writer = await _within(CONNECT_S, asyncio.open_connection(*target, limit=BUFFER_BYTES))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
