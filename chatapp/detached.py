"""The detached carrier: streams without greenlets. The hub's news goes straight to the sockets of who follows it.

A connection *leads* when it has been given everything up to the end of the window: its position is then that end,
and nothing is kept for it. News of a room is one string of bytes, written without blocking to all that lead there.
Who cannot take all of it keeps the rest of that one write, steps down, and reads on from its position when it can
be written to again.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import gevent
from gevent.socket import socket

from chatapp.access import Identity
from chatapp.background import Loop
from chatapp.errors import Unavailable
from chatapp.event import Cursor
from chatapp.event import Event
from chatapp.fanout import Fanout
from chatapp.feed import Feed
from chatapp.hub import Hub
from chatapp.listener import Followers
from chatapp.listener import Listener
from chatapp.peers import Peers
from chatapp.stream import CATCH_UP_RETRY_S
from chatapp.stream import EVENTS_PER_WRITE
from chatapp.stream import WRITE_TIMEOUT_S
from chatapp.stream import Stream
from chatapp.wheel import Wheel

log = logging.getLogger(__name__)

# Heartbeats and ends come at most this much late, and at most this part of the time between two heartbeats.
TICK_MAX_S = 0.5
TICK_PART = 0.05
# Without anything to do, so long it waits for peers at once.
REST_MAX_S = 10.0
# Of who cannot be written to, so often it is looked whether it is to end.
STUCK_LOOK_S = 1.0
# Pages that are read from the database at once: a reader of months leaves room for others.
CATCHING_UP_MAX = 8
# In HTTP/2 a connection carries other requests too.
PROTOCOLS = ("HTTP/1.0", "HTTP/1.1")


class Connection(Listener):
    """One stream. `fd` is its socket, -1 before and after; `blob` from `offset` on is what is not written yet."""

    __slots__ = ("_carrier", "blob", "catching", "fd", "leading", "offset", "stream", "stuck_s", "tick")
    stream: Stream

    def __init__(self, user_id: str, session_id: str, carrier: "Detached") -> None:
        super().__init__(user_id, session_id)
        self._carrier = carrier
        self.fd = -1
        self.leading = False
        # Whether it waits for the database, in the queue or in a greenlet: one at a time.
        self.catching = False
        self.blob: bytes | None = None
        self.offset = 0
        # Since when nothing could be written.
        self.stuck_s = 0.0
        # Where in the wheel it stands; there may be older entries of it.
        self.tick = 0

    def follow(self, rooms: tuple[int, ...]) -> None:
        self.rooms = rooms

    def close(self, reason: str) -> None:
        self.closing = self.closing or reason
        self._carrier.end(self, reason)

    def leave(self) -> None:
        self._carrier.forget(self)


class Detached:
    """All detached connections of a worker. Nothing here waits but `_catch_up`, so no two greenlets share one."""

    def __init__(self, hub: Hub, feed: Feed, peers: Peers, heartbeat_s: float) -> None:
        self._hub = hub
        self._feed = feed
        self._peers = peers
        self._wheel: Wheel[Connection] = Wheel(min(TICK_MAX_S, heartbeat_s * TICK_PART))
        self._head: Followers[Connection] = Followers()
        # They stand behind what this worker has read: another worker was quicker.
        self._ahead: set[Connection] = set()
        self._behind: deque[Connection] = deque()
        self._catching_up = 0
        self._by_fd: dict[int, Connection] = {}
        # When the loop looks next for who is due, in seconds of the monotonic clock.
        self._next_look_s = 0.0
        self._fanout = Fanout()
        self._loop = Loop("streams", self._turn, interval_s=0.0)
        hub.on_news.append(self._give_or_step_down)
        hub.on_reset.append(self._step_down_all)

    def start(self) -> None:
        self._fanout.start()
        self._loop.start()

    def stop(self) -> None:
        for connection in list(self._by_fd.values()):
            self.end(connection, "shutdown")
        self._peers.wake()
        self._loop.stop()
        self._fanout.stop()

    def takes(self, environ: dict[str, Any]) -> bool:
        """Whether this request's socket can be taken: gunicorn's, without TLS."""
        plain = type(environ.get("gunicorn.socket")) is socket
        return plain and self._peers.watched and environ.get("SERVER_PROTOCOL") in PROTOCOLS

    def connection(self, identity: Identity) -> Connection:
        return Connection(identity.id, identity.session_id, self)

    def adopt(self, connection: Connection, fileno: int, head: bytes) -> None:
        """Go on with a duplicate of this descriptor. `head` is the response's, up to the empty line.

        Raises OSError without a descriptor left, or when this worker is at its end.
        """
        if not self._peers.watched:
            raise OSError("the worker ends")
        fd = os.dup(fileno)
        try:
            self._peers.add(fd)
        except OSError:
            os.close(fd)
            raise
        connection.fd = fd
        self._by_fd[fd] = connection
        self._or_end(lambda one: self._begin(one, head), connection)

    def _begin(self, connection: Connection, head: bytes) -> None:
        stream = connection.stream
        self._write(connection, head + stream.ready())
        if connection.fd < 0:
            return  # The peer did not wait for the first byte.
        if reason := stream.over():
            self.end(connection, reason)
        else:
            self._schedule(connection)
            self._advance(connection)

    def drop(self, connection: Connection | None) -> None:
        """It was opened and will not be adopted."""
        if connection is not None and connection.fd < 0:
            self._feed.close(connection)

    def end(self, connection: Connection, reason: str) -> None:
        """Say why, as far as the peer takes it, and close."""
        fd = connection.fd
        if fd < 0:
            return
        if connection.leading:
            self._step_down(connection, self._hub.window.end)
        if last := connection.stream.closing(reason):
            rest = b"" if connection.blob is None else connection.blob[connection.offset :]
            with suppress(OSError):
                os.write(fd, rest + last)
        self._peers.discard(fd)
        del self._by_fd[fd]
        os.close(fd)
        connection.fd = -1
        self._feed.close(connection)
        # Stream, reader and listener know one another; without this they would wait for the garbage collector.
        del connection.stream
        connection.blob = None

    def forget(self, connection: Connection) -> None:
        if connection.leading:
            self._head.discard(connection)
            connection.leading = False
        self._ahead.discard(connection)

    def _give_or_step_down(self, events: Sequence[Event], before: Cursor) -> None:
        try:
            self._give(events, before)
        except Exception:
            # A defect. Who may have missed something reads it again: twice on the wire is better than never.
            self._step_down_all(before)
            raise

    def _give(self, events: Sequence[Event], before: Cursor) -> None:
        """The hub's news, all of one room: the window ended at `before`, and now ends behind them."""
        concerned = [user_id for event in events for user_id in (event.about, event.target) if user_id]
        # They see something else than the others, or follow other rooms from here on.
        alone = {connection for user_id in concerned for connection in self._head.of_user(user_id)}
        for connection in alone:
            self._step_down(connection, before)
        shared = [event.frame for event in events if event.target is None]
        if shared:
            self._share(events[0].room_id, b"".join(shared) if len(shared) > 1 else shared[0])
        for connection in alone:
            self._advance(connection)
        if self._ahead:
            for connection in list(self._ahead):
                self._advance(connection)

    def _share(self, room_id: int | None, blob: bytes) -> None:
        """Write the same bytes to all that lead in this room."""
        connections = list(self._head.of_room(room_id))
        taken = self._fanout.write([connection.fd for connection in connections], blob)
        if taken.count(len(blob)) == len(connections):
            return
        for connection, written in zip(connections, taken, strict=True):
            if written < 0:
                self.end(connection, "gone")
            elif written < len(blob):
                self._stick(connection, blob, written)

    def _write(self, connection: Connection, blob: bytes) -> None:
        """Write behind what waits already."""
        if connection.blob is not None:
            connection.blob = connection.blob[connection.offset :] + blob
            connection.offset = 0
            return
        try:
            written = os.write(connection.fd, blob)
        except BlockingIOError:
            written = 0
        except OSError:
            self.end(connection, "gone")
            return
        if written != len(blob):
            self._stick(connection, blob, written)

    def _stick(self, connection: Connection, blob: bytes, written: int) -> None:
        """It takes no more for now: go on when it can be written to."""
        if connection.leading:
            self._step_down(connection, self._hub.window.end)
        connection.blob, connection.offset = blob, written
        connection.stuck_s = time.monotonic()
        self._peers.await_room(connection.fd, True)

    def _flush(self, connection: Connection) -> None:
        assert connection.blob is not None
        try:
            connection.offset += os.write(connection.fd, memoryview(connection.blob)[connection.offset :])
        except BlockingIOError:
            return
        except OSError:
            self.end(connection, "gone")
            return
        connection.stuck_s = time.monotonic()
        if connection.offset == len(connection.blob):
            connection.blob, connection.offset = None, 0
            self._peers.await_room(connection.fd, False)
            self._advance(connection)

    def _step_down(self, connection: Connection, position: Cursor) -> None:
        self._head.discard(connection)
        connection.leading = False
        connection.stream.reader.position = position

    def _step_down_all(self, position: Cursor) -> None:
        """The window is emptied: what lies behind `position` may have to come from the database."""
        for connection in list(self._head):
            self._step_down(connection, position)
            self._catch_up_later(connection)
        for connection in self._ahead:
            # It may have nothing to read there: then it leads, or waits again.
            self._catch_up_later(connection)
        self._ahead.clear()

    def _advance(self, connection: Connection) -> None:
        """Write what the window has behind the position, until nothing is left or it takes no more."""
        if connection.catching or connection.leading:
            return
        self._ahead.discard(connection)
        while connection.fd >= 0 and connection.blob is None:
            reader = connection.stream.reader
            if reader.needs_database:
                self._catch_up_later(connection)
                return
            events = reader.read(EVENTS_PER_WRITE)
            if events:
                self._write(connection, b"".join([event.frame for event in events]))
            elif reader.position == self._hub.window.end:
                connection.leading = True
                self._head.add(connection)
                return
            else:
                self._ahead.add(connection)
                return

    def _catch_up_later(self, connection: Connection) -> None:
        if connection.catching:
            return
        connection.catching = True
        self._behind.append(connection)
        if self._catching_up < CATCHING_UP_MAX:
            self._catching_up += 1
            gevent.spawn(self._catch_up)

    def _catch_up(self) -> None:
        """Read one page of each from the database, in turn."""
        try:
            while self._behind:
                connection = self._behind.popleft()
                if connection.fd < 0:
                    continue
                try:
                    self._or_end(self._read_page, connection)
                except Unavailable:
                    gevent.spawn_later(CATCH_UP_RETRY_S, self._caught_up, connection)
        finally:
            self._catching_up -= 1

    def _read_page(self, connection: Connection) -> None:
        reader = connection.stream.reader
        events = reader.read(EVENTS_PER_WRITE) if reader.needs_database else []
        if connection.fd < 0:
            return  # It ended meanwhile.
        if events:
            self._write(connection, b"".join([event.frame for event in events]))
        self._caught_up(connection)

    def _caught_up(self, connection: Connection) -> None:
        connection.catching = False
        self._or_end(self._advance, connection)

    def _or_end(self, step: Callable[[Connection], None], connection: Connection) -> None:
        """A defect in one stream ends that one, and no other. Raises Unavailable."""
        try:
            step(connection)
        except Unavailable:
            raise
        except Exception:
            log.exception("a stream could not be continued")
            self.end(connection, "unavailable")

    def _turn(self) -> None:
        """Wait for peers, at most until somebody is due; then see to those that are."""
        rest_s = self._wheel.rest_s(REST_MAX_S)
        self._next_look_s = time.monotonic() + rest_s
        for fd, gone in self._peers.turn(rest_s):
            connection = self._by_fd.get(fd)
            if connection is None:
                continue  # It ended since.
            if gone:
                self.end(connection, "gone")
            else:
                self._flush(connection)
        for tick, connection in self._wheel.turn():
            if connection.fd >= 0 and connection.tick == tick:
                self._or_end(self._look, connection)

    def _look(self, connection: Connection) -> None:
        """A heartbeat may be due, or the end."""
        stream = connection.stream
        if reason := stream.over():
            self.end(connection, reason)
            return
        if connection.blob is None:
            if connection.leading:
                stream.reader.position = self._hub.window.end
            if beat := stream.heartbeat():
                self._write(connection, beat)
        elif time.monotonic() - connection.stuck_s > WRITE_TIMEOUT_S:
            log.info("cut a connection that took nothing for %.0f s", WRITE_TIMEOUT_S)
            self.end(connection, "gone")
        if connection.fd >= 0:
            self._schedule(connection)

    def _schedule(self, connection: Connection) -> None:
        due_s = connection.stream.due_s
        if connection.blob is not None:
            due_s = max(due_s, time.monotonic() + STUCK_LOOK_S)
        connection.tick = self._wheel.put(connection, due_s)
        if due_s < self._next_look_s:
            self._peers.wake()
