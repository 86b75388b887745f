"""The demonstration's process: `python -m chatapp.demo HOST PORT`, which only the master starts.

It listens for the workers on descriptor 0, and has the master at descriptor 1: it ends when that is closed.
"""

import asyncio
import os
import socket
import sys

from chatapp.demo.control import Control
from chatapp.demo.journal import Journal
from chatapp.demo.shapes import SIDES
from chatapp.demo.side import Side

LISTENER, MASTER = 0, 1
OUR_DESCRIPTORS = 3
# Away from the service's own neighbourhood, where other servers are started by hand.
PORT_OFFSET = 30_000
PORT_MAX = 65_535


async def run(host: str, port: int) -> None:
    journal = Journal()
    # A policy cannot name an IPv6 address.
    own = "" if ":" in host else f"http://{host}:{port} "
    ancestors = f"{own}http://localhost:{port}"
    sides = {name: Side(name, (host, port), ancestors, journal.say) for name in SIDES}
    for number, side in enumerate(sides.values()):
        wanted_port = port + PORT_OFFSET + number
        await side.listen(wanted_port if wanted_port <= PORT_MAX else 0)
    await Control(sides, journal, MASTER).run(socket.socket(fileno=LISTENER))


if __name__ == "__main__":
    # The master's listening sockets among them, which must be free when it is gone.
    os.closerange(OUR_DESCRIPTORS, os.sysconf("SC_OPEN_MAX"))
    asyncio.run(run(sys.argv[1], int(sys.argv[2])))
