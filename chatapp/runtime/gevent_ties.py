"""Everything that depends on more of gevent than its documentation promises.

What would break it, in a new version of gevent: the loop has no `run_callback` or `async_`; `StreamServer` takes its
`max_accept` from somewhere else; `monkey` forgets what it replaced; a watcher of `loop.io` takes other events.
"""

from collections.abc import Callable
from typing import Any
from typing import Protocol

from gevent import get_hub
from gevent import monkey
from gevent.server import StreamServer


class Signal(Protocol):
    """Wakes the loop from another thread."""

    def send(self) -> None: ...


def original(module: str, name: str) -> Any:
    """What stood in a module of the standard library before gevent replaced it."""
    return monkey.get_original(module, name)


def patched(module: str) -> bool:
    """Whether gevent has replaced what would block in this module."""
    return monkey.is_module_patched(module)


def wait_for_io(fd: int, events: int) -> None:
    """Until it can be read (1), written (2) or either (3). Whoever waits bounds it."""
    hub: Any = get_hub()
    watcher = hub.loop.io(fd, events)
    try:
        hub.wait(watcher)
    finally:
        watcher.close()


def run_in_loop(call: Callable[..., object], *args: object) -> None:
    """Have the loop itself make this call in its next turn, so that no greenlet comes between its steps.

    The call must not wait for anything.
    """
    get_hub().loop.run_callback(call, *args)


def thread_signal(call: Callable[[], object]) -> Signal:
    """Have the loop of this thread make the call after `send` by any thread. It does not keep the loop going."""
    signal: Any = get_hub().loop.async_(ref=False)
    signal.start(call)
    found: Signal = signal
    return found


def accept_at_most(connections: int) -> None:
    """How many new connections a server lets in between two turns of the loop."""
    StreamServer.max_accept = connections
