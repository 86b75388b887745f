"""`Signals`: takes what is said beside the log to the connections of this worker that hear it, at most once."""

import time
from collections import deque
from itertools import takewhile

from chatapp.eventlog import Hub
from chatapp.eventlog import Waiter
from chatapp.eventlog import growth
from chatapp.receiving.carriers import Detached
from chatapp.receiving.growing_now import GrowingNow
from chatapp.runtime import Recent
from chatapp.wire import Event
from chatapp.wire import Signal

# What was signalled between two polls is given to the second, if it comes within this time.
BETWEEN_POLLS_S = 3.0
KEPT_MAX = 1000
POLLERS_MAX = 20_000


class Signals:
    """A signal of a room that nobody follows here costs nothing but its place among the last ones."""

    def __init__(self, hub: Hub, detached: Detached, growing_now: GrowingNow) -> None:
        self._hub = hub
        self._growing_now = growing_now
        self._detached = detached
        # The last ones, and when they were heard; not made into events before somebody hears them.
        self._heard: deque[tuple[float, Signal]] = deque(maxlen=KEPT_MAX)
        # When the newest poll of a session ended here.
        self._polled: Recent[str, float] = Recent(POLLERS_MAX)

    def take(self, signal: Signal) -> None:
        """The tail has read it."""
        self._heard.append((time.monotonic(), signal))
        waiters, connections = self._hub.hearers(signal), self._detached.hearers(signal)
        if not (waiters or connections):
            return
        event = event_of(signal)
        for waiter in waiters:
            waiter.signal(event)
        self._detached.write_all(connections, event.frame, 1)

    def stream_begins(self, waiter: Waiter) -> None:
        """Give it what it cannot have heard of."""
        for event in self._growing_now.given_to(waiter):
            waiter.signal(event)

    def poll_begins(self, waiter: Waiter) -> None:
        """Give it what was signalled since the last poll of its session ended, if that was a moment ago."""
        ended_s, now_s = self._polled.get(waiter.session_id), time.monotonic()
        if ended_s is None or ended_s < now_s - BETWEEN_POLLS_S:
            self.stream_begins(waiter)
        if ended_s is None:
            return
        since_s = max(ended_s, now_s - BETWEEN_POLLS_S)
        since = list(takewhile(lambda heard: heard[0] > since_s, reversed(self._heard)))
        if not since:
            return
        rooms = set(waiter.rooms)
        for _, signal in reversed(since):
            if signal.room_id in rooms and waiter.hears(signal) and self._holds(signal):
                waiter.signal(event_of(signal))

    def _holds(self, signal: Signal) -> bool:
        """Whether it still says something: what was added to a message that has ended stands in its end, or is gone."""
        return signal.type != growth.GREW or self._growing_now.grows(signal.body["messageId"])

    def poll_ends(self, waiter: Waiter) -> None:
        self._polled[waiter.session_id] = time.monotonic()


def event_of(signal: Signal) -> Event:
    return Event(None, signal.type, signal.room_id, signal.body)
