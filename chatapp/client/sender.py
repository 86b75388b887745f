"""`Sender`: brings the outbox to the service, each room in its order, each message once."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from typing import Generic
from typing import TypeVar
from urllib.parse import quote

from chatapp.client.answer import Answer
from chatapp.client.backoff import Backoff
from chatapp.client.errors import ChatError
from chatapp.client.errors import Closed
from chatapp.client.errors import NoAnswer
from chatapp.client.errors import Refused
from chatapp.client.errors import Unauthenticated
from chatapp.client.message import Message
from chatapp.client.outbox import DONE_MAX
from chatapp.client.outbox import Item
from chatapp.client.outbox import Outbox
from chatapp.client.outgoing import Outgoing
from chatapp.client.send_document import send_document
from chatapp.client.step import Call
from chatapp.client.step import Flow
from chatapp.client.step import Idle
from chatapp.client.step import Pause

# With nothing to do the sender is woken by `add`; this only bounds its sleep.
IDLE_S = 60.0
# How soon a disk that was full is tried again.
DISK_AGAIN_S = 5.0

_log = logging.getLogger(__name__)

S = TypeVar("S", bound=Outgoing)


class Line:
    """One room's queue: when its first message may be tried."""

    def __init__(self) -> None:
        self.backoff = Backoff()
        self.due_s = 0.0


class Sender(Generic[S]):
    """One message is on its way at a time. The flow ends only with the session: then `stopped` says why."""

    def __init__(self, outbox: Outbox, make: Callable[[Item], S]) -> None:
        self._outbox = outbox
        self._make = make
        # Held while they wait, and the newest of those that are done: somebody may watch them.
        self._known: dict[str, S] = {}
        self._done: deque[str] = deque()
        self._lock = threading.Lock()
        self._lines: dict[str, Line] = {}
        # The rate is per user: after a 429 all rooms wait.
        self._paused_until_s = 0.0
        self._on_its_way: str | None = None
        self._delivered_early = False
        self.stopped: ChatError | None = None

    def add(self, room: str, body: str, data: dict[str, Any] | None, local_id: str | None) -> S:
        """Durable when it returns. Raises what stopped the flow, OutboxFull, ValueError, TypeError."""
        document = send_document(room, body, data, local_id)
        # Not between the two: the flow may settle it at once.
        with self._lock:
            if self.stopped is not None:
                raise self.stopped
            item = self._outbox.add(room, document)
            sending = self._of(item)
        if sending.state == "failed" and item.state == "sending":
            sending.become("sending", None)
        return sending

    def find(self, local_id: str) -> S | None:
        """What was taken under this localId, if it is not long done."""
        with self._lock:
            item = self._outbox.find(local_id)
            return None if item is None else self._of(item)

    def delivered(self, local_id: str) -> None:
        """An event says so. It may be quicker than the answer to the send."""
        with self._lock:
            known = self._outbox.deliver(local_id)
            self._delivered_early |= local_id == self._on_its_way
            sending = self._known.get(local_id)
        # The outbox may have forgotten what was sent, while somebody still watches it.
        if sending is not None and (known or sending.state == "sent"):
            sending.become("delivered", None)

    def _of(self, item: Item) -> S:
        sending = self._known.get(item.local_id)
        if sending is None:
            sending = self._known[item.local_id] = self._make(item)
            if sending.done:
                self._forget_after(item.local_id)
            elif self.stopped is not None:
                sending.stop(self.stopped)
        return sending

    def _forget_after(self, local_id: str) -> None:
        self._done.append(local_id)
        while len(self._done) > DONE_MAX:
            oldest = self._done.popleft()
            if oldest in self._known and self._known[oldest].done:
                del self._known[oldest]

    def flow(self) -> Flow[None]:
        while True:
            try:
                item, wait_s = self._next()
                if item is None:
                    yield Idle(wait_s)
                else:
                    yield from self._send(item)
            except Closed:
                raise
            except OSError as error:
                # A full disk. What was sent and could not be noted is sent again, which changes nothing.
                _log.warning("the outbox waits: %s", error)
                yield Pause(DISK_AGAIN_S)
            except ChatError as error:
                self.stop(error)
                return
            except Exception as error:
                # A defect. Whoever waits must not wait for ever.
                self.stop(ChatError(f"the outbox stopped: {error!r}"))
                raise

    def stop(self, error: ChatError) -> None:
        """Nothing is taken or sent from now on, and whoever waits is told why. The first reason stands."""
        with self._lock:
            if self.stopped is not None:
                return
            self.stopped = error
            waiting = [one for one in self._known.values() if not one.done]
        for sending in waiting:
            sending.stop(error)

    def _next(self) -> tuple[Item | None, float]:
        """What may be sent now; or nothing, and for how long."""
        now_s = time.monotonic()
        due_s = now_s + IDLE_S
        heads = self._outbox.heads()
        self._lines = {item.room: self._lines.get(item.room) or Line() for item in heads}
        for item in heads:
            ready_s = max(self._lines[item.room].due_s, self._paused_until_s)
            if ready_s <= now_s:
                return item, 0.0
            due_s = min(due_s, ready_s)
        return None, due_s - now_s

    def _send(self, item: Item) -> Flow[None]:
        self._on_its_way, self._delivered_early = item.local_id, False
        try:
            answer: Answer = yield Call("POST", f"rooms/{quote(item.room, safe='')}/messages", item.document)
            message = _answered(answer, item)
        except NoAnswer as trouble:
            self._wait(item.room, trouble)
        except Unauthenticated:
            raise
        except Refused as refusal:
            self._settle(item, "failed", refusal.problem.document)
        else:
            self._settle(item, message["status"], message)

    def _wait(self, room: str, trouble: NoAnswer) -> None:
        line = self._lines[room]
        due_s = time.monotonic() + line.backoff.failed(trouble.retry_after_s)
        line.due_s = due_s
        if trouble.rate_limited:
            self._paused_until_s = due_s

    def _settle(self, item: Item, state: Any, outcome: dict[str, Any]) -> None:
        self._lines[item.room].backoff.worked()
        with self._lock:
            if state == "sent" and self._delivered_early:
                state = "delivered"
            self._outbox.settle(item.local_id, state, outcome)
            self._on_its_way = None
            sending = self._known.get(item.local_id)
            if sending is not None:
                self._forget_after(item.local_id)
        if sending is not None:
            sending.become(state, outcome)


def _answered(answer: Answer, item: Item) -> dict[str, Any]:
    """Raises NoAnswer for what is not this message, which only somebody between here and the service would say."""

    def this_message(document: dict[str, Any]) -> dict[str, Any]:
        if Message.of(document).local_id != item.local_id:
            raise ValueError("another message")
        return document

    return answer.parsed(this_message)
