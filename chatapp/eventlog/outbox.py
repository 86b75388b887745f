"""`Outbox`: publishes what is committed and not yet in the log, in order.

The rows without a `log_id` are the outbox. Each worker publishes its own rows, which it need not read again. Those of
others it publishes, with all that waits, where the order asks for it or when they have waited too long: their worker
may have died. The script answers a repeat with the first id, so there is no leader and no lock.
"""

import time
from collections import Counter
from collections import deque
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import suppress

from gevent import sleep
from sqlalchemy.exc import SQLAlchemyError

from chatapp import metrics
from chatapp.errors import RedisAway
from chatapp.eventlog.awaited_cursors import AwaitedCursors
from chatapp.eventlog.kept_log import UNRECORDED_MAX
from chatapp.eventlog.kept_log import KeptLog
from chatapp.eventlog.kept_log import Place
from chatapp.eventlog.kept_log import Waiting
from chatapp.eventlog.kept_log import is_move_type
from chatapp.eventlog.live_log import AnotherLog
from chatapp.eventlog.live_log import LiveLog
from chatapp.eventlog.live_log import LongAgo
from chatapp.eventlog.send_outcomes import accepted
from chatapp.eventlog.tail import Tail
from chatapp.runtime import Loop
from chatapp.storage import RedisLink
from chatapp.wire import Cursor
from chatapp.wire import Entry
from chatapp.wire import event_types

# One call of the script holds Redis for a few milliseconds at this size.
PUBLISH_MAX = 200
PUBLISH_MAX_CHARS = 1_000_000
# Of what waits in the database: more at once, because others do not wait for it.
DRAIN_MAX = 500
# Within this time another worker records what it has published.
FOLLOW_S = 0.05
RELAY_INTERVAL_S = 2.0
# An answer to a send waits this long for its cursor: the contract's bound.
CURSOR_WAIT_S = 0.2
# With more rows than this waiting, nothing overtakes them: a reader looks for rows that are in the log and not recorded
# yet among the first UNRECORDED_MAX, and twice as many must not come in between.
OVERTAKEN_MAX = UNRECORDED_MAX // 2
# A room of two thousand has its news in half of this time.
FIRST_OUT_S = 0.05
# Logs that are lost again and again are waited for no longer than this.
SETTLE_MAX_S = 5.0


# So that the first one is a rise, and not the beginning of a series.
for _type in event_types.ALL:
    metrics.events.labels(_type)


class Outbox:
    """Publish after every commit (`wake`), and on a timer what others left behind."""

    def __init__(self, live_log: LiveLog, kept_log: KeptLog, link: RedisLink, tail: Tail) -> None:
        self._live_log = live_log
        self._kept_log = kept_log
        self._link = link
        self._tail = tail
        self._awaited = AwaitedCursors()
        # Committed here just now, in order, and not published yet; they need not be read from the database.
        self._fresh: deque[Entry] = deque()
        # Where the log was when the first of these was committed.
        self._since = Cursor(0)
        # Where it was when something had been read too long ago.
        self._found_late = Cursor(0)
        # Those and the ones that are being published.
        self._own: set[str] = set()
        # Other workers' rows that waited at the last commit, and since when they have been seen to wait.
        self._others: dict[str, float] = {}
        # Whether all that waits in the database is to be published.
        self._asked = True
        # When this worker last saw what waits in the database.
        self._looked_s = 0.0
        # Whether it knows which log there is.
        self._met = False
        # For how long what stood in the log before may still be recorded, and since when logs are being lost.
        self._unsettled_s = 0.0
        self._lost_s: float | None = None
        self._loop = Loop(
            "outbox",
            self._flush,
            interval_s=RELAY_INTERVAL_S,
            # What waits goes out soon after Redis is back. It is asked before the database then.
            soon=lambda error: type(error) is RedisAway,
            refused_by=SQLAlchemyError,
        )
        # Called with what was recorded just now.
        self.on_recorded: list[Callable[[Sequence[Place]], None]] = []

    def start(self) -> None:
        """Find out which log there is, now or when it answers: before anything is committed and would be waited for."""
        with suppress(RedisAway):
            self._meet()
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def wake(self) -> None:
        """There are rows to publish."""
        self._asked = True
        self._loop.wake()

    def meet_again(self) -> None:
        """The log may be another one."""
        self._met = False
        self.wake()

    def publish(self, entries: list[Entry], waiting: list[Waiting]) -> None:
        """These rows were committed just now; `waiting` are the first of all that waited then."""
        if not self._fresh:
            self._since = self._tail.window.end
        self._own.update(entry.uid for entry in entries)
        self._fresh += entries
        now_s = time.monotonic()
        others = [one for one in waiting if one.uid not in self._own]
        self._others = {one.uid: self._others.get(one.uid, now_s) for one in others}
        if not others:
            # The commit has looked for all that wait: the relay need not.
            self._looked_s = now_s
        self._asked = self._asked or len(waiting) > OVERTAKEN_MAX or _come_first(others, entries)
        self._loop.wake()

    def cursor_of(self, uid: str, seconds: float = CURSOR_WAIT_S) -> Cursor | None:
        """The cursor of a row committed just now; None if it takes longer, at once while Redis is away."""
        return self._awaited.get(uid, seconds, lambda: self._link.failing)

    def _flush(self) -> None:
        """Publish what was committed here; on a timer, or if there may be more, everything that waits in the database.

        Raises RedisAway, Unavailable.
        """
        first = self._lost_s is None
        try:
            self._flush_all()
        except AnotherLog:
            # Which one it is is known now. Where it is another one each time, as behind a proxy, the loop makes pauses.
            if not first:
                raise
            self._flush_all()

    def _flush_all(self) -> None:
        try:
            # Asked anew each time: a commit meanwhile may have seen what must not be overtaken.
            while (database := self._needs_database()) or self._fresh:
                if database:
                    self._flush_database()
                else:
                    self._flush_fresh()
            self._lost_s = None
        except Exception as error:
            if isinstance(error, AnotherLog):
                self._lost(error)
            elif isinstance(error, LongAgo):
                self._found_late = error.now
            # The database has them: from there they are published again, to the same cursors.
            self._asked = True
            self._awaited.give_up()
            raise

    def _needs_database(self) -> bool:
        """Whether rows besides those that were committed here are to be published now."""
        now_s = time.monotonic()
        return self._asked or now_s >= self._looked_s + RELAY_INTERVAL_S or self._overdue(now_s - CURSOR_WAIT_S)

    def _overdue(self, before_s: float) -> bool:
        """Whether another worker's row has waited for longer than an answer waits, and is in the log nowhere."""
        return any(
            since_s < before_s and uid not in self._awaited and self._tail.first_place(uid) is None
            for uid, since_s in self._others.items()
        )

    def _flush_fresh(self) -> None:
        """Publish what was committed here."""
        since = self._since
        entries = [self._fresh.popleft() for _ in range(min(PUBLISH_MAX, len(self._fresh)))]
        try:
            self._publish([entry for entry in entries if entry.uid not in self._awaited], since)
        except AnotherLog as another:
            if not another.elsewhere:
                self._fresh.extendleft(reversed(entries))
                self._since = since
            raise

    def _flush_database(self) -> None:
        """Publish every committed row without a cursor."""
        self._looked_s = time.monotonic()
        if self._link.commands.away:
            raise RedisAway("away")
        if not self._met or self._link.commands.failing:
            self._meet()
        self._settle()
        self._asked = False
        # Whichever rows they were, they are read now, or published already.
        self._others.clear()
        self._fresh.clear()
        self._own.clear()
        left = not self._nothing_waits()
        while left:
            since = max(self._tail.window.end, self._found_late)
            entries = self._kept_log.unpublished(DRAIN_MAX)
            self._own.update(entry.uid for entry in entries)
            for part in _parts(entries):
                self._publish(part, since)
            left = len(entries) == DRAIN_MAX and not self._nothing_waits()

    def _nothing_waits(self) -> bool:
        """Whether everything is published. As long as another worker gets on with it, it is left to that one: of a long
        queue each would otherwise publish and record all."""
        waiting, before = self._kept_log.unrecorded(), ""
        while waiting:
            first = min(waiting, key=lambda uid: waiting[uid])
            if first == before or self._tail.first_place(first) is None:
                return False
            sleep(FOLLOW_S)
            waiting, before = self._kept_log.unrecorded(), first
        return True

    def _meet(self) -> None:
        """Find out which log it is. Raises AnotherLog once for each, and RedisAway."""
        try:
            self._live_log.meet()
        except AnotherLog as another:
            self._lost(another)
            raise
        self._met = True

    def _lost(self, another: AnotherLog) -> None:
        self._unsettled_s = another.unsettled_s
        self._lost_s = self._lost_s or time.monotonic()

    def _settle(self) -> None:
        """What others have seen in the log before, they are recording just now: it must not get a second place."""
        if self._unsettled_s and time.monotonic() < (self._lost_s or 0.0) + SETTLE_MAX_S:
            # Of what was committed here and never published nobody else has seen anything.
            self._kept_log.await_records(self._unsettled_s, besides=[entry.uid for entry in self._fresh])
        self._unsettled_s = 0.0

    def _publish(self, entries: list[Entry], since: Cursor) -> None:
        if not entries:
            return
        entries = [self._at_first_place(entry) for entry in entries]
        try:
            cursors = self._live_log.publish(entries, since, self._tail.floor, accepted(entries))
            for type_, count in Counter(entry.type for entry in entries).items():
                metrics.events.labels(type_).inc(count)
            self._tail.published((entry.uid, cursor) for entry, cursor in zip(entries, cursors, strict=True))
            # While the news goes out to many, a native thread at work would hold up every single write.
            self._tail.wait_for(cursors[-1], FIRST_OUT_S)
            places = [self._place(entry, cursor) for entry, cursor in zip(entries, cursors, strict=True)]
            # Recorded first, announced second: whoever is told a cursor finds it in the database, in every worker.
            self._kept_log.record(places)
            for place in places:
                self._awaited.tell(place.entry.uid, place.first)
        finally:
            self._own.difference_update(entry.uid for entry in entries)
        for tell in self.on_recorded:
            tell(places)

    def _at_first_place(self, entry: Entry) -> Entry:
        """A message that was in the log before keeps its place if the log has been lost since.

        Its readers have it there. Only the event comes again, with a later cursor.
        """
        first = self._tail.first_place(entry.uid)
        if first is not None and entry.type == event_types.MESSAGE_CREATED and entry.body["message"]["cursor"] is None:
            entry.body["message"]["cursor"] = str(first)
        return entry

    def _place(self, entry: Entry, cursor: Cursor) -> Place:
        first: Cursor | None = None
        if entry.type == event_types.MESSAGE_CREATED and entry.body["message"]["cursor"] is not None:
            first = Cursor.parse(entry.body["message"]["cursor"])
        elif entry.type == event_types.MEMBER_JOINED:
            first = self._tail.first_place(entry.uid)
        return Place(entry, cursor, first or cursor)


def _parts(entries: list[Entry]) -> Iterator[list[Entry]]:
    """In calls of the script that Redis answers in time, however long the messages are."""
    part: list[Entry] = []
    size = 0
    for entry in entries:
        part.append(entry)
        size += len(str(entry.body))
        if size > PUBLISH_MAX_CHARS:
            yield part
            part, size = [], 0
    if part:
        yield part


def _come_first(others: Sequence[Waiting], entries: Sequence[Entry]) -> bool:
    """Whether one of the others must be in the log before these: a joining or leaving in the same room, and what the
    same person said, perhaps by way of a worker that has not published it yet."""
    rooms = {entry.room_id for entry in entries}
    senders = {entry.body["message"]["sender"]["id"] for entry in entries}
    return any(one.sender_id in senders or (one.room_id in rooms and is_move_type(one.type)) for one in others)
