"""`LiveLog`: the Redis Streams. The only file that knows their keys.

`chat:events` is the live end of the event log: its ids are the cursors. Each entry names the one before
it (`prev`), so that a reader sees when the log was changed beneath it. `chat:log` names the log as a whole, so that
a publisher sees when it was lost, and `chat:database` says whose log it is. `chat:signals` carries what needs no place
in the log; it never enters a cursor.
"""

import logging
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from chatapp.errors import RedisAway
from chatapp.errors import RedisFull
from chatapp.eventlog import log_entry
from chatapp.eventlog.log_entry import LogEntry
from chatapp.eventlog.log_entry import Row
from chatapp.eventlog.send_outcomes import REMEMBER_S
from chatapp.runtime import now_ms
from chatapp.storage import TAIL_BLOCK_MS
from chatapp.storage import RedisLink
from chatapp.wire import Cursor
from chatapp.wire import Entry
from chatapp.wire import Signal
from chatapp.wire import codec

log = logging.getLogger(__name__)

EVENTS = "chat:events"
SIGNALS = "chat:signals"
PUBLISHED = "chat:published"
LOG_NAME = "chat:log"
DATABASE = "chat:database"
# There as long as a worker of that database is.
ALIVE = "chat:database:alive"
# Where the log ended when another database took it over, until it is emptied.
ENDED = "chat:database:ended"

# How many rows a publisher may lag behind another and still get the first one's id for the same row. Redis remembers up
# to twice as many, in about a hundred bytes each.
REMEMBERED = 50_000
# A worker that is away for longer misses signals of rooms, as it may, and forgets all that it knows of sessions.
SIGNALS_MAXLEN = 10_000
# Within this time each worker has noticed that the log was lost, and recorded what it had seen in it.
SETTLE_S = 2.0
# So many are looked up in a database that may be another one.
NEWEST = 20
# One XREAD: bounded, because parsing 100,000 entries at once would hold the loop for half a second.
READ_COUNT = 500


class AnotherLog(RedisAway):
    """The log is not the one that this worker has published to: it is met for the first time, was lost, or a replica
    has taken its place. `unsettled_s` is for how long somebody may still record what stood in the one before.

    `elsewhere`: on another server. Then the same rows may have been appended before, where the answer was lost.
    """

    def __init__(self, unsettled_s: float, *, elsewhere: bool) -> None:
        super().__init__("another log")
        self.unsettled_s = unsettled_s
        self.elsewhere = elsewhere


class LongAgo(RedisAway):
    """What was read to be published was read too long ago: since then more was published than is remembered, and these
    rows may be among that. `now` is where the log ends: what is not recorded is to be read again."""

    def __init__(self, now: Cursor) -> None:
        super().__init__("read too long ago")
        self.now = now


class NotOurs(RedisAway):
    """The log goes on for another database than this worker's."""

    def __init__(self) -> None:
        super().__init__("the log is another database's")


@dataclass(frozen=True, slots=True)
class News:
    """What one read of the tail brought."""

    entries: list[LogEntry]
    # What concerns this worker, and what concerns those who follow rooms.
    signals: list[dict[str, Any]]
    of_rooms: list[Signal]
    signals_after: str
    # Whether there may be more of the log already.
    more: bool


class LiveLog:
    """Publish to, read from and raise the log. Every method raises RedisAway."""

    def __init__(self, link: RedisLink, maxlen: int) -> None:
        self._link = link
        self._maxlen = maxlen
        # Whether the server says who it is.
        self._tells = True
        # Which log this worker publishes to: another one has lost what stood in it, or some of that.
        self._known = b""
        # Which database this worker's rows stand in: its incarnation.
        self.database = ""
        self._publish = link.commands.script("publish")
        self._raise = link.commands.script("raise")
        self._claim = link.commands.script("claim")
        self._break = link.commands.script("break_log")
        self._signal_once = link.quick.script("signal")

    @property
    def writable(self) -> bool:
        """Whether the last attempt to write, here or as a sign of life, succeeded."""
        return not self._link.commands.failing

    def publish(
        self, entries: Sequence[Entry], since: Cursor, floor: Cursor, remember: Mapping[str, str]
    ) -> list[Cursor]:
        """Append the entries in order and return their cursors; those appended before keep their first one.

        `since` is where the log was when these rows were found to have no place. Sets the keys of `remember` in the
        same call, for REMEMBER_S. With nothing appended, raises AnotherLog if it is not the log of the last time,
        NotOurs, and LongAgo.
        """
        args: list[Any] = [
            self._known,
            token_hex(8),
            now_ms(),
            floor.milliseconds,
            _sequence(floor),
            self._maxlen,
            REMEMBERED,
            since.milliseconds,
            _sequence(since),
            REMEMBER_S,
            len(entries),
            self.database,
        ]
        for entry in entries:
            message_id = entry.body["message"]["id"] if "message" in entry.body else ""
            args += [entry.number, entry.type, entry.room_id, entry.target or "", entry.about or "", message_id]
            args += [codec.dumps(entry.body), "" if entry.uid == message_id else entry.uid]
        args += remember.values()
        keys = [EVENTS, PUBLISHED, f"{PUBLISHED}:before", LOG_NAME, DATABASE, *remember]
        try:
            found, age_ms, *places = self._publish(keys, args)
        except RedisFull:
            self._make_room()
            found, age_ms, *places = self._publish(keys, args)
        if found != self._known:
            before, self._known = self._known, found
            # A replica has the name of the log before, so its age says nothing.
            unsettled_s = SETTLE_S if before else max(0.0, SETTLE_S - age_ms / 1000)
            raise AnotherLog(unsettled_s, elsewhere=_server_of(before) != _server_of(found))
        if places.pop(0):
            raise NotOurs
        last, *cursors = [Cursor.parse(raw.decode()) for raw in places]
        if len(cursors) < len(entries):
            raise LongAgo(last)
        return cursors

    def meet(self) -> None:
        """Find out which log it is. Raises AnotherLog as `publish` does."""
        self.publish([], Cursor(0), Cursor(0), {})

    def holder(self, held: str, silent_s: float) -> tuple[str, bool]:
        """Which database's log it is, "" if nobody has said; and whether its workers are at work. If it is the one that
        is `held` here, this is a sign of life for so long."""
        raw, alive = self._link.commands.call(lambda redis: redis.mget(DATABASE, ALIVE))
        name = _text(raw or b"")
        if held and name == held:
            self._link.commands.call(lambda redis: redis.set(ALIVE, 1, px=int(silent_s * 1000)))
        return name, alive is not None

    def claim(self, name: str, comes_from: str, silent_s: float) -> tuple[str, Cursor | None]:
        """Let the log go on for this database, if that of before is silent for so long, or is what it comes from.

        Returns whose log it is now, and where it ended if it was taken over: then it waits for `break_log`.
        """
        args = [name, comes_from, int(silent_s * 1000)]
        holder, ended = self._claim([EVENTS, DATABASE, ALIVE, ENDED], args)
        return _text(holder), Cursor.of_redis(ended) if ended else None

    def break_log(self, above: Cursor) -> Cursor | None:
        """Empty the log that was taken over; it goes on above this place and all that it ever had. Returns where, None
        if another worker has done it."""
        end = self._break([EVENTS, ENDED], [above.milliseconds])
        return Cursor.of_redis(end) if end else None

    def newest_rows(self, until: Cursor | None = None) -> list[Row]:
        """The rows of the newest events that the log has, up to a place."""
        last = "+" if until is None else str(until)
        items: Any = self._link.commands.call(lambda redis: redis.xrevrange(EVENTS, max=last, count=NEWEST))
        flat = ((raw_id, [part for pair in fields.items() for part in pair]) for raw_id, fields in items)
        return [row for entry in log_entry.read(flat) if (row := entry.row) is not None]

    def server(self) -> str:
        """Which server the tail hears: its run id, "" where that is not told. Raises RedisAway if it is a replica."""
        if not self._tells:
            return ""
        try:
            about = {**self._about("server"), **self._about("replication")}
        except RedisAway as away:
            if not isinstance(away.__cause__, ResponseError):
                raise
            # A managed server may forbid it.
            self._tells = False
            return ""
        if about.get("role", "master") != "master":
            self._link.tail.disconnect()
            raise RedisAway("a replica by now")
        return about.get("run_id", "")

    def _about(self, section: str) -> dict[str, str]:
        told = _text(self._link.tail.ask("INFO", section))
        return dict(line.split(":", 1) for line in told.splitlines() if ":" in line)

    def _make_room(self) -> None:
        """Redis has as much as it may keep: better a short log than none. What is older comes from the database."""
        length: int = self._link.commands.call(lambda redis: redis.xlen(EVENTS))
        self._link.commands.call(lambda redis: redis.xtrim(EVENTS, maxlen=length // 2, approximate=False))
        self._link.commands.call(lambda redis: redis.xtrim(SIGNALS, maxlen=0, approximate=False))
        log.warning("REDIS_URL: Redis is full: the log was cut to %d entries", length // 2)

    def raise_to(self, cursor: Cursor) -> Cursor:
        """Make every later id greater than `cursor`. Returns where the log now ends."""
        raw = self._raise([EVENTS], [cursor.milliseconds, _sequence(cursor), self._maxlen])
        return Cursor.parse(raw.decode())

    def last(self) -> Cursor:
        """The newest id, as the log itself remembers it; 0-0 when there is no log."""

        def ask(redis: Redis) -> Cursor:
            try:
                info: Any = redis.xinfo_stream(EVENTS)
            except ResponseError as error:
                if "no such key" in str(error):
                    return Cursor(0)
                raise
            return Cursor.parse(_text(info["last-generated-id"]))

        return self._link.commands.call(ask)

    def holds_after(self, cursor: Cursor) -> bool:
        """Whether an entry stands behind the place."""
        return bool(self._link.commands.call(lambda redis: redis.xrange(EVENTS, min=f"({cursor}", count=1)))

    def last_signal(self) -> str:
        def ask(redis: Redis) -> str:
            newest: Any = redis.xrevrange(SIGNALS, count=1)
            return _text(newest[0][0]) if newest else "0-0"

        return self._link.commands.call(ask)

    def signal(self, body: dict[str, Any]) -> str:
        """Tell all workers something that needs no place in the log. Returns the signal's id."""
        fields: dict[Any, Any] = {"body": codec.dumps(body)}
        newest: Any = self._link.commands.call(lambda redis: redis.xadd(SIGNALS, fields, maxlen=SIGNALS_MAXLEN))
        return _text(newest)

    def signal_all(self, bodies: Sequence[dict[str, Any]]) -> None:
        """Tell all workers several things, in their order."""

        def add(redis: Redis) -> None:
            pipeline = redis.pipeline(transaction=False)
            for body in bodies:
                pipeline.xadd(SIGNALS, {"body": codec.dumps(body)}, maxlen=SIGNALS_MAXLEN)
            pipeline.execute()

        self._link.commands.call(add)

    def signal_once(self, body: dict[str, Any], what: str, seconds: float) -> bool:
        """The same, unless `what` was signalled less than so many seconds ago. Returns whether it is signalled now."""
        args = [codec.dumps(body), SIGNALS_MAXLEN, int(seconds * 1000)]
        return bool(self._signal_once([SIGNALS, f"chat:signalled:{what}"], args))

    def read(self, after: Cursor, signals_after: str, wait_s: float) -> News:
        """What lies after the two positions, waiting up to TAIL_BLOCK_MS, and up to `wait_s`, for something to come."""

        # 0 would be for ever.
        how = ("COUNT", READ_COUNT, "BLOCK", min(TAIL_BLOCK_MS, max(1, int(wait_s * 1000))))
        answer = self._link.tail.ask("XREAD", *how, "STREAMS", EVENTS, SIGNALS, str(after), signals_after)
        entries: list[LogEntry] = []
        signals: list[dict[str, Any]] = []
        for key, items in answer or ():
            if _text(key) == EVENTS:
                entries = log_entry.read(items)
                continue
            for raw_id, flat in items:
                signals_after = _text(raw_id)
                signals += _signal(log_entry.fields(flat))
        return News(
            entries,
            [signal for signal in signals if "room_id" not in signal],
            list(_of_rooms(signals)),
            signals_after,
            more=len(entries) == READ_COUNT,
        )


def _server_of(log: bytes) -> bytes:
    return log.rpartition(b":")[2]


def _signal(fields: dict[bytes, bytes]) -> list[dict[str, Any]]:
    try:
        return [dict(codec.loads_trusted(fields[b"body"]))]
    except (KeyError, TypeError, ValueError) as error:
        log.warning("a signal is not from this service: %r", error)
        return []


def _of_rooms(signals: Sequence[dict[str, Any]]) -> Iterator[Signal]:
    for signal in signals:
        if "room_id" in signal:
            try:
                yield Signal.unpacked(signal)
            except TypeError as error:
                # Of another version, as while one replaces the other: it may be missed.
                log.warning("a signal is not from this version: %r", error)


def _sequence(cursor: Cursor) -> int:
    return int(str(cursor).partition("-")[2])


def _text(raw: bytes | str) -> str:
    return raw.decode() if isinstance(raw, bytes) else raw
