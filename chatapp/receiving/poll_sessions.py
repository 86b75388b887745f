"""`PollSessions`: clients that poll, from the first poll to the last: a line of the log for all of them."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from chatapp.receiving import receiving_log
from chatapp.receiving.receiving_log import Request
from chatapp.runtime import Loop

# Who polls no more for so long is gone: longer than any pause between two polls of a client that is well.
GONE_S = 10.0
LOOK_INTERVAL_S = 2.0
# Beyond these, the one that polled longest ago is taken for gone.
SESSIONS_MAX = 20_000


@dataclass(slots=True)
class _Polling:
    request: Request
    begun_s: float
    seen_s: float = 0.0
    held: int = 0
    polls: int = 0
    events: int = 0
    bytes: int = 0


class PollSessions:
    """By session: of a client that polls at several workers, each says its part."""

    def __init__(self) -> None:
        # Those that polled longest ago come first.
        self._by_session: OrderedDict[str, _Polling] = OrderedDict()
        self._loop = Loop("poll sessions", self._look, interval_s=LOOK_INTERVAL_S)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()
        for session_id in list(self._by_session):
            self._end(session_id, "shutdown")

    def begins(self, session_id: str, request: Request) -> None:
        """A poll is held, until `ends`. The first one gives its name to all."""
        polling = self._by_session.get(session_id)
        if polling is None:
            if len(self._by_session) >= SESSIONS_MAX:
                self._end(next(iter(self._by_session)), "gone")
            polling = self._by_session[session_id] = _Polling(request, time.monotonic())
        polling.held += 1
        polling.polls += 1

    def ends(self, session_id: str, events: int, bytes_: int, closing: str | None) -> None:
        """It was answered with so much. `closing`: why no other will follow, if that is known."""
        polling = self._by_session.get(session_id)
        if polling is None:
            return
        polling.held -= 1
        polling.events += events
        polling.bytes += bytes_
        polling.seen_s = time.monotonic()
        self._by_session.move_to_end(session_id)
        if closing is not None and not polling.held:
            self._end(session_id, closing)

    def _look(self) -> None:
        before_s = time.monotonic() - GONE_S
        gone = []
        for session_id, polling in self._by_session.items():
            if polling.held:
                continue
            if polling.seen_s > before_s:
                break
            gone.append(session_id)
        for session_id in gone:
            self._end(session_id, "gone")

    def _end(self, session_id: str, reason: str) -> None:
        polling = self._by_session.pop(session_id)
        receiving_log.over(
            "polling over",
            polling.request,
            seconds=(polling.seen_s or time.monotonic()) - polling.begun_s,
            events=polling.events,
            bytes_=polling.bytes,
            reason=reason,
            polls=polling.polls,
        )
