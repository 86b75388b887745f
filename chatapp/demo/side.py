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
    """Listens as long as the process lives, so that its port stays its own also while the network is cut."""

    def __init__(self, name: str, target: tuple[str, int], ancestors: str, say: Callable[[str, str], None]) -> None:
        self.name = name
        self.target = target
        self.ancestors = ancestors
        self.port = 0
        self._say = say
        self._wrong = dict.fromkeys(SWITCHES, False)
        self._open: set[asyncio.Task[None]] = set()
        self._live: set[asyncio.Task[None]] = set()

    async def listen(self, wanted_port: int) -> None:
        """At this port: what the browser keeps there is found again after a restart. At another if it is taken."""
        listener = _listener(self.target[0], wanted_port)
        self.port = listener.getsockname()[1]
        await asyncio.start_server(self._serve, sock=listener, limit=connection.BUFFER_BYTES)

    @property
    def state(self) -> SideState:
        return {"side": self.name, "port": self.port, "switches": dict(self._wrong)}

    def switch(self, name: str, on: bool) -> None:
        """It holds for what is open, too: news is asked for anew, so that the page meets the network as it is now."""
        if self._wrong[name] == on:
            return
        self._wrong[name] = on
        self.say(SAID[name, on])
        ended = {"cut": self._open, "hold": self._live}.get(name, ())
        for task in list(ended):
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
            if self._wrong["cut"]:
                self.say("connection cut")
            elif len(self._open) > CONNECTIONS_MAX:
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


def _listener(host: str, wanted_port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, wanted_port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError):
        return socket.create_server((host, 0), family=family, backlog=BACKLOG)
