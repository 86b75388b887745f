"""`Heard`: what a listener gives, taken by a thread, so that a test waits for what it means."""

import threading
from contextlib import suppress
from typing import Any

from chatapp.client import ChatError
from chatapp.client import Closed
from chatapp.client import Event
from tests.support.processes import wait_until

SOON_S = 15.0


class Heard:
    """`events` are those that were handled, in order. `error` is what ended it."""

    def __init__(self, listener: Any) -> None:
        self.listener = listener
        self.events: list[Event] = []
        self.error: ChatError | None = None
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        try:
            for event in self.listener:
                self.events.append(event)
        except ChatError as error:
            self.error = error

    def __enter__(self) -> "Heard":
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        self._thread.join(SOON_S)
        assert not self._thread.is_alive()
        assert self.error is None or isinstance(self.error, Closed)

    def types(self) -> list[str]:
        return [event.type for event in self.events]

    def bodies(self) -> list[str]:
        return [event.message.body for event in self.events if event.type == "message.created"]

    def until_ready(self) -> None:
        """It has a cursor: what is said from now on is heard."""
        wait_until(lambda: self.listener.cursor, SOON_S, "the listener is ready")

    def until(self, *bodies: str, seconds: float = SOON_S) -> None:
        """Exactly these messages came, in this order."""
        with suppress(TimeoutError):
            wait_until(lambda: len(self.bodies()) >= len(bodies), seconds, "the messages")
        assert self.bodies() == list(bodies)

    def until_ended(self) -> ChatError | None:
        self._thread.join(SOON_S)
        assert not self._thread.is_alive()
        error, self.error = self.error, None
        return error
