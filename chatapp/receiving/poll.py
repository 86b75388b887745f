"""The long poll: waits for the first events behind a position, and what it answers."""

import math
import time
from collections.abc import Sequence

from chatapp.eventlog import Waiter
from chatapp.eventlog import growth
from chatapp.receiving.reader import Reader
from chatapp.wire import Event
from chatapp.wire import codec

# Who does not want to wait is given this long to find the first event among many that they may not see.
LOOK_S = 1.0


def wait_for_events(
    reader: Reader,
    waiter: Waiter,
    limit: int,
    most_bytes: int,
    seconds: float,
    ends_s: float = math.inf,
    *,
    company_s: float = 0.0,
) -> list[Event]:
    """The next events, at most `limit` and about `most_bytes`; waits up to `seconds` for the first, and gives none once
    the monotonic clock has passed `ends_s`. Comes back without events `company_s` after the first signal.

    If it finds none in time, the reader may still be behind. Raises Unavailable.
    """
    now_s = time.monotonic()
    deadline_s, looked_s = min(now_s + seconds, ends_s), now_s + max(seconds, LOOK_S)
    while time.monotonic() < ends_s:
        waiter.clear()
        events = reader.read(limit, most_bytes) if reader.behind else []
        if events or waiter.closing:
            return events
        if reader.behind and time.monotonic() < looked_s:
            continue  # What was read came from the database; the window's part has not been looked at.
        if waiter.signals and not reader.behind:
            deadline_s, company_s = min(deadline_s, time.monotonic() + company_s), math.inf
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            return []
        waiter.wait(left_s)
    return []


def in_order(signals: Sequence[Event], events: Sequence[Event]) -> list[Event]:
    """Whoever types does so before they have said it; what was added to a message comes behind the message."""
    return [
        *(one for one in signals if one.type != growth.GREW),
        *events,
        *(one for one in signals if one.type == growth.GREW),
    ]


def poll_document(events: Sequence[Event], signals: Sequence[Event], reader: Reader) -> bytes:
    """The answer to a poll, as JSON: the events as they are in the log, with the signals, where to go on from, and
    whether there is more at once."""
    more = reader.behind and not reader.listener.closing
    return b'{"events":[%b],"cursor":%b,"more":%b%b}' % (
        b",".join([event.data for event in in_order(signals, events)]),
        codec.dumps(str(reader.position)),
        b"true" if more else b"false",
        b',"reset":true' if reader.reset else b"",
    )
