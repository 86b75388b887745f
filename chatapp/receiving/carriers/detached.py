"""The detached carrier: streams without greenlets. The tail's news goes straight to the sockets of those who follow it.

A connection *leads* when it has been given everything up to the end of the window: its position is then that end,
and nothing is kept for it. News of a room is one string of bytes, written without blocking to all that lead there.
One that cannot take all of it keeps the rest of that one write, steps down, and reads on from its position when it can
be written to again.
"""

import logging
import os
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import TypeGuard

from gevent.socket import socket

from chatapp import metrics
from chatapp.errors import Unavailable
from chatapp.eventlog import Followers
from chatapp.eventlog import Hub
from chatapp.eventlog import Listener
from chatapp.eventlog import Tail
from chatapp.people import Identity
from chatapp.receiving import receiving_log
from chatapp.receiving.carriers.connection import Connection
from chatapp.receiving.carriers.fanout import Fanout
from chatapp.receiving.carriers.laggards import Laggards
from chatapp.receiving.carriers.sockets import SOCKET
from chatapp.receiving.carriers.sockets import Sockets
from chatapp.receiving.feed import Feed
from chatapp.receiving.growing_now import GrowingNow
from chatapp.receiving.read_rate import ReadRate
from chatapp.receiving.receiving_log import Request
from chatapp.receiving.stream import BYTES_PER_WRITE
from chatapp.receiving.stream import EVENTS_PER_WRITE
from chatapp.receiving.stream import WRITE_TIMEOUT_S
from chatapp.runtime import Loop
from chatapp.runtime import TimerWheel
from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import Signal

log = logging.getLogger(__name__)

# A tick of the wheel: heartbeats and ends come up to two of them late, a tenth of the time between two heartbeats.
TICK_MAX_S = 0.5
TICK_PART = 0.05
# How long it waits for peers when there is nothing else to do.
REST_MAX_S = 10.0
# How often a stuck connection is checked for its end.
STUCK_LOOK_S = 1.0
# In HTTP/2 a connection carries other requests too.
PROTOCOLS = ("HTTP/1.0", "HTTP/1.1")


class Detached:
    """All detached connections of a worker. Nothing here waits except `Laggards`, so no two greenlets share one.

    `give_or_step_down` and `step_down_all` are to be called by the tail.
    """

    def __init__(
        self,
        hub: Hub,
        tail: Tail,
        feed: Feed,
        growing_now: GrowingNow,
        sockets: Sockets,
        read_rate: ReadRate,
        heartbeat_s: float,
    ) -> None:
        self._hub = hub
        self._tail = tail
        self._feed = feed
        self._growing_now = growing_now
        self._sockets = sockets
        self._wheel: TimerWheel[Connection] = TimerWheel(min(TICK_MAX_S, heartbeat_s * TICK_PART))
        self._head: Followers[Connection] = hub.followers()
        # Their positions lie ahead of what this worker has read: another worker was quicker.
        self._ahead: set[Connection] = set()
        self._laggards = Laggards(self._give_page, self._or_end, read_rate)
        self._by_fd: dict[int, Connection] = {}
        # When the loop looks next for who is due, in seconds of the monotonic clock.
        self._next_look_s = 0.0
        self._fanout = Fanout()
        # One object for all connections.
        self._end: Callable[[Connection, str], None] = self.end
        self._loop = Loop("streams", self._turn, interval_s=0.0)

    def start(self) -> None:
        self._fanout.start()
        self._loop.start()

    def stop(self) -> None:
        for connection in list(self._by_fd.values()):
            self.end(connection, "shutdown")
        self._sockets.wake()
        self._loop.stop()
        self._fanout.stop()

    def takes(self, environ: dict[str, Any]) -> bool:
        """Whether this request's socket can be taken: a plain one of gevent's, without TLS."""
        plain = type(environ.get(SOCKET)) is socket
        return plain and self._sockets.watched and environ.get("SERVER_PROTOCOL") in PROTOCOLS

    def connection(self, identity: Identity, request: Request) -> Connection:
        return Connection(identity.id, identity.session_id, request, self._end)

    def adopt(self, connection: Connection, fileno: int, head: bytes) -> None:
        """Go on with a duplicate of this descriptor. `head` is the response's, up to the empty line.

        Raises OSError when no descriptor is left, or when this worker is at its end.
        """
        if not self._sockets.watched:
            raise OSError("the worker ends")
        fd = os.dup(fileno)
        try:
            self._sockets.add(fd)
        except OSError:
            os.close(fd)
            raise
        connection.fd = fd
        self._by_fd[fd] = connection
        self._or_end(lambda one: self._begin(one, head), connection)

    def drop(self, connection: Connection | None) -> None:
        """It was opened and will not be adopted."""
        if connection is not None and not connection.open:
            self._feed.close(connection)

    def end(self, connection: Connection, reason: str) -> None:
        """Say why, as far as the peer takes it, and close."""
        if not connection.open:
            return
        if connection.leading:
            self._step_down(connection, self._tail.window.end)
        self._ahead.discard(connection)
        self._sockets.discard(connection.fd)
        del self._by_fd[connection.fd]
        begun_s = connection.stream.begun_s
        connection.end(connection.stream.closing(reason))
        self._feed.close(connection)
        metrics.streams_ended.labels(reason).inc()
        receiving_log.over(
            "stream over",
            connection.request,
            seconds=time.monotonic() - begun_s,
            events=connection.events,
            bytes_=connection.bytes,
            reason=reason,
        )

    def give_or_step_down(self, events: Sequence[Event], before: Cursor) -> None:
        """The tail's news, all of one room: the window ended at `before`, and now ends behind them."""
        try:
            self._give(events, before)
        except Exception:
            # A defect. Whoever may have missed something reads it again: twice on the wire is better than never.
            self.step_down_all(before)
            raise

    def hearers(self, signal: Signal) -> list[Connection]:
        """Those who lead and hear it; others miss it."""
        return [connection for connection in self._head.of_room(signal.room_id) if connection.hears(signal)]

    def step_down_all(self, position: Cursor) -> None:
        """The window is emptied: what lies behind `position` may have to come from the database."""
        for connection in [one for one in self._by_fd.values() if one.leading]:
            self._step_down(connection, position)
            self._laggards.add(connection)
        for connection in self._ahead:
            # It may have nothing to read there: then it leads, or waits again.
            self._laggards.add(connection)
        self._ahead.clear()

    def _begin(self, connection: Connection, head: bytes) -> None:
        stream = connection.stream
        self._write(connection, head + stream.ready())
        if not connection.open:
            return  # The peer did not wait for the first byte.
        if reason := stream.over():
            self.end(connection, reason)
        else:
            self._schedule(connection)
            self._advance(connection)

    def _give(self, events: Sequence[Event], before: Cursor) -> None:
        concerned = [user_id for event in events for user_id in (event.about, event.target) if user_id]
        # They see something different from the others, or follow other rooms from here on.
        alone = {one for user_id in concerned for one in self._hub.of_user(user_id) if self._leads(one)}
        for connection in alone:
            self._step_down(connection, before)
        if leading := [one for event in events[:1] for one in self._head.of_room(event.room_id)]:
            shared = [event.frame for event in events if event.target is None]
            if shared:
                self.write_all(leading, b"".join(shared) if len(shared) > 1 else shared[0], len(shared))
        for connection in alone:
            self._advance(connection)
        if self._ahead:
            for connection in list(self._ahead):
                self._advance(connection)

    def _leads(self, listener: Listener) -> TypeGuard[Connection]:
        return isinstance(listener, Connection) and listener.leading

    def write_all(self, connections: Sequence[Connection], blob: bytes, events: int) -> None:
        """Write the same bytes, of so many events, to all of these, which lead."""
        metrics.delivered_by_stream.inc(events * len(connections))
        taken = self._fanout.write([connection.fd for connection in connections], blob)
        size = len(blob)
        for connection, written in zip(connections, taken, strict=True):
            connection.events += events
            if written == size:
                connection.bytes += size
            elif written < 0:
                self.end(connection, "gone")
            else:
                connection.bytes += written
                connection.stick(blob, written)
                self._await_room(connection)

    def _write(self, connection: Connection, blob: bytes) -> None:
        was_stuck = connection.stuck
        try:
            connection.write(blob)
        except OSError:
            self.end(connection, "gone")
            return
        if connection.stuck and not was_stuck:
            self._await_room(connection)

    def _await_room(self, connection: Connection) -> None:
        """It takes no more for now: go on when it can be written to."""
        if connection.leading:
            self._step_down(connection, self._tail.window.end)
        self._sockets.await_room(connection.fd, True)

    def _flush(self, connection: Connection) -> None:
        try:
            connection.flush()
        except OSError:
            self.end(connection, "gone")
            return
        if not connection.stuck:
            self._sockets.await_room(connection.fd, False)
            self._advance(connection)

    def _step_down(self, connection: Connection, position: Cursor) -> None:
        self._head.discard(connection)
        connection.leading = False
        connection.stream.reader.position = position

    def _advance(self, connection: Connection) -> None:
        """Write what the window has behind the position, until nothing is left or the peer takes no more."""
        if connection.catching_up or connection.leading:
            return
        self._ahead.discard(connection)
        while connection.open and not connection.stuck:
            reader = connection.stream.reader
            if reader.needs_database:
                self._laggards.add(connection)
                return
            events = reader.read(EVENTS_PER_WRITE, BYTES_PER_WRITE)
            if events:
                self._write_events(connection, events)
            elif reader.position == self._tail.window.end:
                connection.leading = True
                self._head.add(connection)
                self._tell_whole(connection)
                return
            else:
                self._ahead.add(connection)
                return

    def _tell_whole(self, connection: Connection) -> None:
        """Once: a slow peer, who misses something later, loads it."""
        if connection.told_whole:
            return
        connection.told_whole = True
        if events := self._growing_now.given_to(connection):
            self._write_events(connection, events)

    def _give_page(self, connection: Connection, events: Sequence[Event]) -> None:
        if events:
            self._write_events(connection, events)
        self._advance(connection)

    def _write_events(self, connection: Connection, events: Sequence[Event]) -> None:
        metrics.delivered_by_stream.inc(len(events))
        connection.events += len(events)
        self._write(connection, b"".join([event.frame for event in events]))

    def _or_end(self, step: Callable[[Connection], None], connection: Connection, *args: Any) -> None:
        """A defect in one stream ends that one, and no other. Raises Unavailable."""
        try:
            step(connection, *args)
        except Unavailable:
            raise
        except Exception:
            log.exception("a stream could not be continued")
            self.end(connection, "unavailable")

    def _turn(self) -> None:
        """Wait for peers, at most until somebody is due; then see to those that are."""
        rest_s = self._wheel.rest_s(REST_MAX_S)
        self._next_look_s = time.monotonic() + rest_s
        for fd, gone in self._sockets.turn(rest_s):
            connection = self._by_fd.get(fd)
            if connection is None:
                continue  # It ended since.
            if gone:
                self.end(connection, "gone")
            elif connection.stuck:
                self._flush(connection)
        for tick, connection in self._wheel.turn():
            if connection.open and connection.tick == tick:
                self._or_end(self._look, connection)

    def _look(self, connection: Connection) -> None:
        """A heartbeat may be due, or the end."""
        stream = connection.stream
        if reason := stream.over():
            self.end(connection, reason)
            return
        if connection.stuck:
            if connection.stuck_s > WRITE_TIMEOUT_S:
                log.info("cut a connection that took nothing for %.0f s", WRITE_TIMEOUT_S)
                self.end(connection, "gone")
        else:
            if connection.leading:
                stream.reader.position = self._tail.window.end
            if beat := stream.heartbeat():
                self._write(connection, beat)
        if connection.open:
            self._schedule(connection)

    def _schedule(self, connection: Connection) -> None:
        due_s = connection.stream.due_s
        if connection.stuck:
            due_s = max(due_s, time.monotonic() + STUCK_LOOK_S)
        connection.tick = self._wheel.put(connection, due_s)
        if due_s < self._next_look_s:
            self._sockets.wake()
