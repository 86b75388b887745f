"""The long poll: waits for the first events behind a position, and what it answers."""

import time
from collections.abc import Sequence

from chatapp.eventlog import Waiter
from chatapp.receiving.reader import Reader
from chatapp.wire import Event
from chatapp.wire import codec


def wait_for_events(reader: Reader, waiter: Waiter, limit: int, seconds: float) -> list[Event]:
    """The next events, at most `limit`; waits up to `seconds` for the first. Raises Unavailable."""
    deadline_s = time.monotonic() + seconds
    while True:
        waiter.clear()
        events = reader.read(limit) if reader.behind else []
        if events or waiter.closing:
            return events
        if reader.behind:
            continue  # What was read came from the database; the window's part has not been looked at.
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            return []
        waiter.wait(left_s)


def poll_document(events: Sequence[Event], reader: Reader) -> bytes:
    """The answer to a poll, as JSON: the events as they are in the log, and where to go on from."""
    return b'{"events":[%b],"cursor":%b,"more":%b%b}' % (
        b",".join([event.data for event in events]),
        codec.dumps(str(reader.position)),
        b"true" if events and reader.behind else b"false",
        b',"reset":true' if reader.reset else b"",
    )
