"""`Control`: answers the workers, who ask for the visitor, and asks the master, who alone knows its workers."""

import asyncio
import json
import os
import socket
from typing import Any

from chatapp.demo.journal import Journal
from chatapp.demo.shapes import SIDES
from chatapp.demo.shapes import SWITCHES
from chatapp.demo.shapes import State
from chatapp.demo.side import Side

REQUEST_MAX_BYTES = 4096
REQUEST_S = 5.0
# The worker that passed the wish on answers the visitor first, and is killed then.
BEFORE_KILL_S = 0.3
KILL = b"k"
PIECE_BYTES = 4096


class Control:
    """`master` is a descriptor: a byte to it is a wish, and what comes are the workers that were killed."""

    def __init__(self, sides: dict[str, Side], journal: Journal, master: int) -> None:
        self._sides = sides
        self._journal = journal
        self._master = master
        self._ended = asyncio.Event()

    async def run(self, listener: socket.socket) -> None:
        """Until the master is gone."""
        await asyncio.start_unix_server(self._serve, sock=listener, limit=REQUEST_MAX_BYTES)
        asyncio.get_running_loop().add_reader(self._master, self._hear_master)
        await self._ended.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), REQUEST_S)
            writer.write(json.dumps(await self._do(json.loads(line))).encode())
            await asyncio.wait_for(writer.drain(), REQUEST_S)
        except (OSError, ValueError, KeyError, TimeoutError):
            pass  # Only our own workers get here: one that asks for nonsense was killed on the way.
        finally:
            writer.close()

    async def _do(self, request: dict[str, Any]) -> State:
        """Raises KeyError for what cannot be asked."""
        match request["do"]:
            case "switch":
                await self._sides[request["side"]].switch(_known(request["switch"]), bool(request["on"]))
            case "kill":
                asyncio.get_running_loop().call_later(BEFORE_KILL_S, os.write, self._master, KILL)
        return {
            "sides": [self._sides[name].state for name in SIDES],
            "lines": self._journal.after(int(request.get("after", 0))),
        }

    def _hear_master(self) -> None:
        said = os.read(self._master, PIECE_BYTES).decode()
        if not said:
            asyncio.get_running_loop().remove_reader(self._master)
            self._ended.set()
        else:
            self._journal.say_to_all(f"killed (SIGKILL): worker {said}")


def _known(switch: str) -> str:
    if switch not in SWITCHES:
        raise KeyError(switch)
    return switch
