"""`Tail`: one greenlet per worker that reads the live log into the window and tells what came."""

import logging
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from gevent import sleep
from gevent.event import Event as Flag

from chatapp import metrics
from chatapp.errors import RedisAway
from chatapp.errors import Unavailable
from chatapp.eventlog.first_places import FirstPlaces
from chatapp.eventlog.kept_log import KeptLog
from chatapp.eventlog.live_log import LiveLog
from chatapp.eventlog.log_entry import LogEntry
from chatapp.eventlog.log_entry import Row
from chatapp.eventlog.window import Window
from chatapp.runtime import Loop
from chatapp.runtime import now_ms
from chatapp.runtime import pause_s
from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import Signal

log = logging.getLogger(__name__)

# How often the tail checks that the log is still the one it read: a flush does not wake a blocked XREAD.
LOOK_INTERVAL_S = 1.0
# The tail hears from Redis every second, news or not; in a busy worker somewhat later.
HEARD_MAX_S = 2.0
# Everything live waits for the tail: it must be back as soon as Redis is, and a refused connection costs nothing.
BACKOFF_MAX_S = 0.5
# Each worker reads what all publish, and each read takes a quarter of a millisecond, however little it brings. After
# news the next waits a little for company, unless this worker has published meanwhile. A message that comes alone is
# read at once.
PAUSE_S = 0.006
PAUSE_MAX_S = 0.02
# Rows that were published just before the log was lost get their ids recorded within this time.
RECORD_WAIT_S = 1.0
RAISED_BY_MS = 1000
# Whoever comes from another worker is ahead by a few milliseconds.
ACCEPT_WAIT_S = 0.1
# A signal is heard within a few milliseconds; nobody must wait longer for one that was lost.
SIGNAL_WAIT_S = 0.2
SIGNAL_POLL_S = 0.005
# Far more rows than are ever in the log and not recorded yet.
SEEN_MAX = 5_000
# News for many readers gives way to other work after this time.
HOLD_MAX_S = 0.01


class Tail:
    """Where this worker stands in the log. Every other part reads from its window and is told by its `on_…` lists."""

    def __init__(self, live_log: LiveLog, kept_log: KeptLog, window_size: int, *, workers: int = 1) -> None:
        self.window = Window(window_size)
        self._pause_s = pause_s(workers, each_s=PAUSE_S, most_s=PAUSE_MAX_S)
        self.on_signal: list[Callable[[dict[str, Any]], None]] = []
        # Called with what is said in a room beside the log, once all is read that was in the log then.
        self.on_room_signal: list[Callable[[Signal], None]] = []
        # Called with all events that came into the window just now, before anybody reads them.
        self.on_read: list[Callable[[Sequence[Event]], None]] = []
        # Whether somebody here is to be told of an event.
        self.concerns: Callable[[Event], bool] = lambda event: True
        # Called then with those of one room that do, perhaps none, and where the window ended before.
        self.on_news: list[Callable[[Sequence[Event], Cursor], None]] = []
        # Called before the window is emptied, with where it ended.
        self.on_reset: list[Callable[[Cursor], None]] = []
        # Called when events or signals may have been missed.
        self.on_break: list[Callable[[], None]] = []
        self._live_log = live_log
        self._kept_log = kept_log
        # Called before this worker goes on where something may have been lost: whoever hears it may ask the servers.
        self.on_doubt: list[Callable[[], None]] = []
        self._newest: LogEntry | None = None
        # The newest id that this worker has read, published or accepted: later ids must lie above it.
        self._floor = Cursor(0)
        # Up to where this worker has raised the log for clients that were ahead of it.
        self._raised = Cursor(0)
        self._seen = FirstPlaces(SEEN_MAX)
        self._moved = Flag()
        # Up to where somebody here waits to read.
        self._awaited = Cursor(0)
        self._hurry = Flag()
        self._signals_after: str | None = None
        # The run ids of the server that the window was read from, and of the one that was found last.
        self._server = self._found_server = ""
        self._placed = False
        self._following = False
        self._looked_s = 0.0
        self._heard_s = 0.0
        self._loop = Loop("tail", self._read, interval_s=0.0, backoff_max_s=BACKOFF_MAX_S)

    def start(self) -> None:
        """Take the newest position the database knows, now or when it answers; then follow the log from there."""
        with suppress(Unavailable):
            self._learn()
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    @property
    def end(self) -> Cursor:
        """The newest position this worker has read: what it can vouch for. Raises Unavailable before it has one."""
        if not self._placed:
            raise Unavailable("starting")
        return self.window.end

    @property
    def newest_row(self) -> Row | None:
        """Of the newest event that was read from the log."""
        return None if self._newest is None else self._newest.row

    @property
    def floor(self) -> Cursor:
        """The newest id that this worker knows of, in the log or not: whatever it publishes must lie above it."""
        return self._floor

    @property
    def current(self) -> bool:
        """Whether this worker hears what others change: the tail follows the log, and the log can be written to."""
        heard = time.monotonic() - self._heard_s < HEARD_MAX_S
        return heard and self._following and self._live_log.writable

    def wait_for(self, cursor: Cursor, seconds: float) -> None:
        """Wait until everything up to `cursor` was read and passed on, at most this long."""
        if cursor <= self.window.end:
            return
        self._awaited = max(self._awaited, cursor)
        self._hurry.set()
        deadline_s = time.monotonic() + seconds
        while self.window.end < cursor and (left_s := deadline_s - time.monotonic()) > 0:
            self._moved.wait(left_s)

    def accept(self, cursor: Cursor) -> None:
        """A client stands at `cursor`. If that lies ahead of the log, the log must rise above it."""
        if self._following:
            # Perhaps another worker gave it just now.
            self.wait_for(cursor, ACCEPT_WAIT_S)
        if cursor > max(self.end, self._raised):
            # A little further, so that whoever comes with a later one each time does not raise it each time.
            self._raised = Cursor.at(cursor.milliseconds + RAISED_BY_MS)
            try:
                self._live_log.raise_to(self._raised)
            except RedisAway:
                # The floor holds for what this worker publishes, and the tail raises the log on its return.
                self._raised = Cursor(0)
        # Only now: what is published above a floor that the log does not have looks like a loss to the others.
        self._floor = max(self._floor, cursor)

    def published(self, places: Iterable[tuple[str, Cursor]]) -> None:
        """This worker has appended these rows to the log: what they are, and their places, in order."""
        for uid, cursor in places:
            self._floor = max(self._floor, cursor)
            self._seen.note(uid, cursor)

    def first_place(self, uid: str) -> Cursor | None:
        """Where this worker first saw a row in the log, which may have been lost since; None if it never saw it."""
        return self._seen.get(uid)

    def tell(self, signal: dict[str, Any]) -> None:
        """Signal all workers, and give them the time that this one takes to hear it. Raises RedisAway."""
        sent = Cursor.parse(self._live_log.signal(signal))
        deadline_s = time.monotonic() + SIGNAL_WAIT_S
        while Cursor.parse(self._signals_after or "0-0") < sent and time.monotonic() < deadline_s:
            sleep(SIGNAL_POLL_S)

    def _learn(self) -> None:
        position = self._kept_log.newest()
        self._floor = max(self._floor, position)
        self.window.reset(position)
        self._placed = True

    def _read(self) -> None:
        if not self._placed:
            self._learn()
        try:
            self._follow()
        except RedisAway:
            self._following = False
            raise

    def _follow(self) -> None:
        if not self._following:
            self._resume()
        if time.monotonic() - self._looked_s >= LOOK_INTERVAL_S:
            self._look()
        assert self._signals_after is not None
        look_s = self._looked_s + LOOK_INTERVAL_S - time.monotonic()
        news = self._live_log.read(self.window.end, self._signals_after, look_s)
        self._heard_s = time.monotonic()
        for signal in news.signals:
            for handle in self.on_signal:
                handle(signal)
        self._signals_after = news.signals_after
        metrics.tail_lag_seconds.set(_lag_s(news.entries))
        if self._take_all(news.entries) and not news.more:
            # Whoever has left the room by now does not follow it any more. Others miss the signal, as they may.
            for of_room in news.of_rooms:
                for hear in self.on_room_signal:
                    hear(of_room)
        if news.entries and self._pause_s and self.window.end >= self._awaited:
            self._hurry.clear()
            self._hurry.wait(self._pause_s)

    def _take_all(self, entries: Sequence[LogEntry]) -> bool:
        """False if the log was changed beneath."""
        since_s = time.monotonic()
        for run, told in self._runs(entries):
            if not self._take(run, told):
                return False
            if time.monotonic() - since_s > HOLD_MAX_S:
                sleep(0)
                since_s = time.monotonic()
        return True

    def _take(self, run: list[LogEntry], told: list[Event]) -> bool:
        """Take entries into the window, and tell those whom some of them concern. False if the log was changed
        beneath."""
        before = self.window.end
        if run[-1].event is None and run[0].prev == before and self._passed_over(run[-1].cursor):
            self._resync()
            return False
        intact = 0
        for cursor, prev, event, uid, _ in run:
            if prev != self.window.end:
                log.warning("the log was changed beneath %s: %s follows %s", self.end, cursor, prev)
                break
            intact += 1
            if event is None:
                self.window.move(cursor)
                continue
            self.window.append(event, cursor)
            self._seen.note(uid, cursor)
        events = [event for _, _, event, _, _ in run[:intact] if event is not None]
        if events:
            self._newest = run[intact - 1]
        self._floor = max(self._floor, self.window.end)
        self._tell_news(events, told if intact == len(run) else [one for one in told if one in events], before)
        if intact < len(run):
            self._resync()
        return intact == len(run)

    def _runs(self, entries: Sequence[LogEntry]) -> Iterator[tuple[list[LogEntry], list[Event]]]:
        """The entries in their order, in runs, each with those events in it that concern somebody here: of one room at
        most. Where the log was only raised is a run of its own."""
        for _, some in groupby(entries, lambda entry: entry.event is None):
            run: list[LogEntry] = []
            told: list[Event] = []
            for entry in some:
                event = entry.event
                if event is not None and self.concerns(event):
                    if told and told[0].room_id != event.room_id:
                        yield run, told
                        run, told = [], []
                    told.append(event)
                run.append(entry)
            yield run, told

    def _passed_over(self, raised: Cursor) -> bool:
        """Whether a row stands where the log was raised: somebody knew of places that it does not have, as when a
        replica that lagged behind was made the master.
        """
        self._kept_log.await_records(RECORD_WAIT_S)
        found = self._kept_log.any_within(self.window.end, raised)
        if found:
            log.warning("the log was raised to %s over what this worker has not read", raised)
        return found

    def _tell_news(self, events: list[Event], told: list[Event], before: Cursor) -> None:
        defect: Exception | None = None
        for take in self.on_read:
            try:
                take(events)
            except Exception as error:
                # What others are told of does not depend on it.
                defect = error
        for tell in self.on_news:
            tell(told, before)
        self._moved.set()
        self._moved.clear()
        if defect is not None:
            raise defect

    def _resume(self) -> None:
        """Redis is there, for the first time or again."""
        self._doubt()
        if self._signals_after is None:
            self._signals_after = self._live_log.last_signal()
        if self._moved_on() or self._live_log.last() < self.window.end or self.window.end == Cursor(0):
            self._resync()
        elif self._live_log.last() < self._floor:
            # A client brought a cursor while Redis was away: what others publish must lie above it too.
            self._live_log.raise_to(self._floor)
        self._tell_break()
        self._following = True
        self._heard_s = time.monotonic()
        log.info("following the event log from %s", self.end)

    def _look(self) -> None:
        """Once a second: is the log gone, on another server, or does it end before what was read from it?"""
        self._looked_s = time.monotonic()
        if self._moved_on():
            self._resync()
        elif self._live_log.last() < self.window.end:
            log.warning("the log ends before %s: it was lost or replaced", self.end)
            self._resync()
        elif self._live_log.last() > self.window.end and not self._live_log.holds_after(self.window.end):
            log.warning("the log was cut behind %s", self.end)
            self._resync()

    def _moved_on(self) -> bool:
        """Whether another server has the log now. It may lack what this worker has not read, without any other sign."""
        self._found_server = self._live_log.server()
        if self._server and self._found_server and self._found_server != self._server:
            log.warning("the log is on another server: readers go on through the database")
            return True
        self._server = self._found_server
        return False

    def _resync(self) -> None:
        """Go on behind everything that the log or the database ever had; readers catch up from the database.

        Rows that were published into the lost log and are not recorded yet could otherwise be recorded
        later, between a reader's position and the new end, where nobody looks again: so wait for them.
        """
        # Whatever fails from here on, it is begun again.
        following, self._following = self._following, False
        self._doubt()
        try:
            self._kept_log.keep_first(self.first_place)
        except Unavailable as error:
            log.warning("the places that were seen in the log are not recorded: %s", error)
        self._kept_log.await_records(RECORD_WAIT_S)
        self._floor = max(self._floor, self.window.end, self._kept_log.newest())
        end = self._live_log.raise_to(self._floor)
        last_signal = self._live_log.last_signal()
        # From here on nothing waits: whoever catches up must find no memory of what was before the gap.
        for tell in self.on_reset:
            tell(self.window.end)
        self.window.reset(end)
        self._server = self._found_server
        self._floor = max(self._floor, self.window.end)
        # Signals are numbered by Redis's own clock: after a loss they may begin again further back.
        if Cursor.parse(last_signal) < Cursor.parse(self._signals_after or last_signal):
            self._signals_after = last_signal
        self._looked_s = time.monotonic()
        self._following = following
        self._tell_break()

    def _doubt(self) -> None:
        for look in self.on_doubt:
            look()

    def _tell_break(self) -> None:
        for handle in self.on_break:
            handle()


def _lag_s(entries: Sequence[LogEntry]) -> float:
    """How long ago the first of these was published; nothing to read is no lag."""
    return max(0, now_ms() - entries[0].cursor.milliseconds) / 1000 if entries else 0.0
