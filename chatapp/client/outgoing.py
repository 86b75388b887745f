"""`Outgoing`: one message on its way, as the sender of it sees it."""

import logging
import threading
from collections.abc import Callable
from typing import Any
from typing import Self

from chatapp.client.errors import ChatError
from chatapp.client.errors import Refused
from chatapp.client.message import Message
from chatapp.client.outbox import Item
from chatapp.client.outbox import State
from chatapp.client.problem import Problem

_log = logging.getLogger(__name__)


class Outgoing:
    """`state` is one of the contract's: sending, sent, delivered, failed.

    `message` is there once it was sent, `problem` once it failed.
    """

    def __init__(self, item: Item) -> None:
        self.local_id = item.local_id
        self.room = item.room
        self.state: State = "sending"
        self.message: Message | None = None
        self.problem: Problem | None = None
        # Why it stays as it is: the session is over. It is sent by the next client with a good token.
        self.stopped: ChatError | None = None
        self._lock = threading.Lock()
        self._watchers: list[Callable[[Any], object]] = []
        self.become(item.state, item.outcome)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.local_id} in {self.room}: {self.state}>"

    @property
    def done(self) -> bool:
        """Whether the service has it, or has refused it for good."""
        return self.state != "sending"

    def watch(self, callback: Callable[[Self], object]) -> Self:
        """Call it with this object now, and at each change: in whatever thread notices, so be quick there."""
        with self._lock:
            self._watchers.append(callback)
        callback(self)
        return self

    def become(self, state: State, outcome: dict[str, Any] | None) -> None:
        """Used by the client alone. What was delivered stays so: the event may be quicker than the answer."""
        if state == "sent" and self.state == "delivered":
            state = "delivered"
        if state == self.state and outcome is None:
            return
        failed = state == "failed" and outcome is not None
        self.problem = Problem.of(outcome or {}) if failed else None
        if outcome is not None and not failed:
            self.message = Message.of(outcome)
        self.state = state
        self._tell()

    def stop(self, error: ChatError) -> None:
        """Used by the client alone."""
        self.stopped = error
        self._tell()

    def result(self) -> Message | None:
        """The message, None while it is on its way. Raises Refused once it failed, and what stopped the sender."""
        if self.problem is not None:
            raise Refused(self.problem)
        if self.message is None and self.stopped is not None:
            raise self.stopped
        return self.message

    def _tell(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for callback in watchers:
            try:
                callback(self)
            except Exception:
                # The sender goes on: what watches one message must not hold up the others.
                _log.exception("a watcher of %r failed", self)
