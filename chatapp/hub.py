"""`Hub`: one per worker. The tail greenlet reads the log into the window and wakes who waits for it."""

import logging
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from gevent import sleep
from gevent.event import Event as Flag

from chatapp.background import Loop
from chatapp.errors import Unavailable
from chatapp.event import Cursor
from chatapp.event import Event
from chatapp.event_log import EventLog
from chatapp.event_log import LogEntry
from chatapp.listener import Followers
from chatapp.listener import Listener
from chatapp.listener import Waiter
from chatapp.positions import Positions
from chatapp.recent import Recent
from chatapp.redis_link import RedisAway
from chatapp.window import Window

log = logging.getLogger(__name__)

# How often the tail looks whether the log still is the one it read: a flush wakes no blocked XREAD.
LOOK_INTERVAL_S = 1.0
# The tail hears from Redis every second, news or not; in a busy worker somewhat later.
HEARD_MAX_S = 2.0
# Everything live waits for the tail: when Redis is back it must be, too, and a refused connection costs nothing.
TAIL_BACKOFF_MAX_S = 0.5
# Rows that were published just before the log was lost get their ids recorded within this time.
RECORD_WAIT_S = 1.0
RECORD_POLL_S = 0.02
# A signal is heard within a few milliseconds; who waits for that must not wait for a lost one.
SIGNAL_WAIT_S = 0.2
SIGNAL_POLL_S = 0.005
# Far more rows than are ever in the log and not recorded yet.
SEEN_MAX = 5_000
# News for many readers gives way to other work after this time.
HOLD_MAX_S = 0.01
# A request that was under way when its session ended is over long before as many others have ended.
ENDED_SESSIONS_MAX = 1000


class Hub:
    """The window on the log, kept current, and the connections that wait for it."""

    def __init__(self, event_log: EventLog, positions: Positions, window_size: int) -> None:
        self.window = Window(window_size)
        # The newest id that this worker has read, published or accepted: later ids must lie above it.
        self.floor = Cursor(0)
        self.on_signal: list[Callable[[dict[str, Any]], None]] = []
        self.on_event: list[Callable[[Event], None]] = []
        # Called with events that came into the window just now, all of one room, and where the window ended before.
        self.on_news: list[Callable[[Sequence[Event], Cursor], None]] = []
        # Called before the window is emptied, with where it ended.
        self.on_reset: list[Callable[[Cursor], None]] = []
        # Events or signals may have been missed.
        self.on_break: list[Callable[[], None]] = []
        self._event_log = event_log
        self._positions = positions
        self._listeners: set[Listener] = set()
        self.waiters: Followers[Waiter] = Followers()
        # Row number -> its first place in the log, as this worker saw it.
        self.seen: Recent[int, Cursor] = Recent(SEEN_MAX)
        self._moved = Flag()
        self._signals_after: str | None = None
        self._ended_sessions: Recent[str, None] = Recent(ENDED_SESSIONS_MAX)
        self._placed = False
        self._following = False
        self._looked_s = 0.0
        self._heard_s = 0.0
        self._tail = Loop("tail", self._read, interval_s=0.0, backoff_max_s=TAIL_BACKOFF_MAX_S)
        self._closing: str | None = None

    def start(self) -> None:
        """Take the newest position the database knows, now or when it answers; then follow the log from there."""
        with suppress(Unavailable):
            self._learn()
        self._tail.start()

    def stop(self) -> None:
        self._tail.stop()

    @property
    def end(self) -> Cursor:
        """The newest position this worker has read: what it can vouch for. Raises Unavailable before it has one."""
        if not self._placed:
            raise Unavailable("starting")
        return self.window.end

    @property
    def current(self) -> bool:
        """Whether what others change is heard here: the tail follows the log, and the log can be written to."""
        heard = time.monotonic() - self._heard_s < HEARD_MAX_S
        return heard and self._following and self._event_log.writable

    def wait_for(self, cursor: Cursor, seconds: float) -> None:
        """Wait until everything up to `cursor` was read and passed on, at most so long."""
        deadline_s = time.monotonic() + seconds
        while self.window.end < cursor and (left_s := deadline_s - time.monotonic()) > 0:
            self._moved.wait(left_s)

    def accept(self, cursor: Cursor) -> None:
        """A client stands at `cursor`. If that lies ahead of the log, the log must rise above it."""
        self.floor = max(self.floor, cursor)
        if cursor > self.end:
            try:
                self._event_log.raise_to(cursor)
            except RedisAway:
                # The floor holds for what this worker publishes, and the tail raises the log on its return.
                return

    def add(self, listener: Listener) -> None:
        """Know this connection until `remove`, so that it ends with its session and with this worker."""
        self._listeners.add(listener)
        if self._closing:
            listener.close(self._closing)
        elif listener.session_id in self._ended_sessions:
            listener.close("signed_out")

    def remove(self, listener: Listener) -> None:
        listener.leave()
        self._listeners.discard(listener)

    def end_session(self, session_id: str) -> None:
        """Close the connections of one session here, and those that it is opening just now."""
        self._ended_sessions[session_id] = None
        for listener in [one for one in self._listeners if one.session_id == session_id]:
            listener.close("signed_out")

    def tell(self, signal: dict[str, Any]) -> None:
        """Signal all workers, and give them the time that this one takes to hear it. Raises RedisAway."""
        sent = Cursor.parse(self._event_log.signal(signal))
        deadline_s = time.monotonic() + SIGNAL_WAIT_S
        while Cursor.parse(self._signals_after or "0-0") < sent and time.monotonic() < deadline_s:
            sleep(SIGNAL_POLL_S)

    def drain(self, reason: str = "shutdown") -> None:
        """Close every connection, and those that come after."""
        self._closing = reason
        for listener in list(self._listeners):
            listener.close(reason)

    def _learn(self) -> None:
        position = self._positions.newest()
        self.floor = max(self.floor, position)
        self.window.reset(position)
        self._placed = True

    def _read(self) -> None:
        if not self._placed:
            self._learn()
        if not self._following:
            self._resume()
        if time.monotonic() - self._looked_s >= LOOK_INTERVAL_S:
            self._look()
        assert self._signals_after is not None
        try:
            news = self._event_log.read(self.window.end, self._signals_after)
        except RedisAway:
            self._following = False
            raise
        self._heard_s = time.monotonic()
        for signal in news.signals:
            for handle in self.on_signal:
                handle(signal)
        self._signals_after = news.signals_after
        since_s = time.monotonic()
        for run in _runs(news.entries):
            if not self._take(run):
                break
            # What follows on what was read before shows as well that the log still is the same.
            self._looked_s = since_s
            if time.monotonic() - since_s > HOLD_MAX_S:
                sleep(0)
                since_s = time.monotonic()

    def _take(self, run: list[LogEntry]) -> bool:
        """Entries of one room into the window, and on to who follows it. False if the log was changed beneath."""
        before = self.window.end
        events: list[Event] = []
        for entry in run:
            if entry.prev != self.window.end:
                log.warning("the log was changed beneath %s: %s follows %s", self.end, entry.cursor, entry.prev)
                self._tell_news(events, before)
                self._resync()
                return False
            self.floor = max(self.floor, entry.cursor)
            if entry.event is None:
                self.window.move(entry.cursor)
                continue
            self.window.append(entry.event, entry.cursor)
            if entry.number is not None:
                self.seen.setdefault(entry.number, entry.cursor)
            for handle in self.on_event:
                handle(entry.event)
            events.append(entry.event)
        self._tell_news(events, before)
        return True

    def _tell_news(self, events: list[Event], before: Cursor) -> None:
        for tell in self.on_news:
            tell(events, before)
        self._moved.set()
        self._moved.clear()
        for event in events:
            for waiter in self.waiters.of_room(event.room_id):
                if event.visible_to(waiter.user_id):
                    waiter.wake()
            for waiter in self.waiters.of_user(event.about):
                waiter.wake()

    def _resume(self) -> None:
        """Redis is there, for the first time or again."""
        if self._signals_after is None:
            self._signals_after = self._event_log.last_signal()
        if self._event_log.last() < self.window.end or self.window.end == Cursor(0):
            self._resync()
        elif self._event_log.last() < self.floor:
            # A client brought a cursor while Redis was away: what others publish must lie above it too.
            self._event_log.raise_to(self.floor)
        self._broken()
        self._following = True
        self._heard_s = time.monotonic()
        log.info("following the event log from %s", self.end)

    def _look(self) -> None:
        """Once a second: is the log gone, or does it end before what was read from it?"""
        self._looked_s = time.monotonic()
        if self._event_log.last() < self.window.end:
            log.warning("the log ends before %s: it was lost or replaced", self.end)
            self._resync()

    def _resync(self) -> None:
        """Go on behind everything that the log or the database ever had; readers catch up by the database.

        Rows that were published into the lost log and are not recorded yet could otherwise be recorded
        later, between a reader's position and the new end, where nobody looks again: so wait for them.
        """
        pending = self._positions.unrecorded()
        deadline_s = time.monotonic() + RECORD_WAIT_S
        while pending & self._positions.unrecorded() and time.monotonic() < deadline_s:
            sleep(RECORD_POLL_S)
        self.floor = max(self.floor, self.window.end, self._positions.newest())
        end = self._event_log.raise_to(self.floor)
        for tell in self.on_reset:
            tell(self.window.end)
        self.window.reset(end)
        self.floor = max(self.floor, self.window.end)
        # Signals are numbered by Redis's own clock: after a loss they may begin again further back.
        last_signal = self._event_log.last_signal()
        if Cursor.parse(last_signal) < Cursor.parse(self._signals_after or last_signal):
            self._signals_after = last_signal
        self._looked_s = time.monotonic()
        self._broken()
        for waiter in self.waiters:
            waiter.wake()

    def _broken(self) -> None:
        for handle in self.on_break:
            handle()


def _runs(entries: Sequence[LogEntry]) -> Iterator[list[LogEntry]]:
    """The entries in their order, those that follow one another in one room together."""
    for _, run in groupby(entries, lambda entry: entry.event and entry.event.room_id):
        yield list(run)
