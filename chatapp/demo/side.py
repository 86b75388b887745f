"""`Side`: one person's network, from an address of its own to the service, with what is wrong with it."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

from chatapp.demo import connection
from chatapp.demo.shapes import SWITCHES
from chatapp.demo.shapes import SideState

# A page holds six at most. More is nothing that a visitor does.
CONNECTIONS_MAX = 64
BACKLOG = 64
WENT_WRONG = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError)

SAID = {
    ("cut", True): "network cut",
    ("cut", False): "network restored",
    ("hold", True): "event streams are held back from now on",
    ("hold", False): "event streams pass again",
    ("swallow", True): "answers to sends are dropped from now on",
    ("swallow", False): "answers to sends pass again",
}


class Side:
    """Whoever asks while the network is cut is refused by the kernel, as where nothing listens."""

    def __init__(self, name: str, target: tuple[str, int], ancestors: str, say: Callable[[str, str], None]) -> None:
        self.name = name
        self.target = target
        self.ancestors = ancestors
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._bound: socket.socket | None = None
        self._say = say
        self._wrong = dict.fromkeys(SWITCHES, False)
        self._open: set[asyncio.Task[None]] = set()
        self._live: set[asyncio.Task[None]] = set()

    async def listen(self, wanted_port: int) -> None:
        """At this port: what the browser keeps there is found again after a restart. At another if it is taken."""
        self._bind(wanted_port)
        await self._restore()

    @property
    def state(self) -> SideState:
        return {"side": self.name, "port": self.port, "switches": dict(self._wrong)}

    async def switch(self, name: str, on: bool) -> None:
        """It holds for what is open, too: news is asked for anew, so that the page meets the network as it is now."""
        if self._wrong[name] == on:
            return
        self._wrong[name] = on
        self.say(SAID[name, on])
        match name, on:
            case "cut", True:
                self._cut()
            case "cut", False:
                await self._restore()
            case "hold", _:
                self._end(self._live)

    def _cut(self) -> None:
        if self._listener is not None:
            self._listener.close()
        # Bound without listening, it stays ours.
        self._bind(self.port)
        self._end(self._open)

    async def _restore(self) -> None:
        bound, self._bound = self._bound, None
        self._listener = await asyncio.start_server(
            self._serve, sock=bound, limit=connection.BUFFER_BYTES, backlog=BACKLOG
        )

    def _bind(self, wanted_port: int) -> None:
        self._bound = _bound(self.target[0], wanted_port)
        self.port = self._bound.getsockname()[1]

    def _end(self, connections: set[asyncio.Task[None]]) -> None:
        for task in list(connections):
            self.say("connection cut")
            task.cancel()

    def holds(self) -> bool:
        return self._wrong["hold"]

    def swallows(self) -> bool:
        return self._wrong["swallow"]

    def say(self, text: str) -> None:
        self._say(self.name, text)

    def live(self) -> None:
        """The request that is being served asks for news."""
        self._live.add(_this_task())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = _this_task()
        self._open.add(task)
        try:
            if len(self._open) > CONNECTIONS_MAX:
                self.say("too many connections: refused")
            else:
                await self._through(reader, writer)
        finally:
            self._open.discard(task)
            self._live.discard(task)
            writer.transport.abort()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError, *WENT_WRONG):
            await connection.serve(self, reader, writer)
            # What was written last is still on its way.
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), connection.WRITE_S)


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _bound(host: str, wanted_port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    # What was ended a moment ago does not stand in the way.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, wanted_port))
    except OSError:
        bound.bind((host, 0))
    return bound
