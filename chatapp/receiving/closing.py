"""Why a stream ends, and when its client is to come back."""

import random

from chatapp import metrics
from chatapp.wire import Cursor
from chatapp.wire import codec
from chatapp.wire import sse

# How long a client is told to stay away, in milliseconds: a random time between the two, so that many
# do not come back as one.
RETRY_MS = {
    "rotate": (50, 500),
    "shutdown": (500, 3000),
    "signed_out": (1000, 3000),
    "expired": (1000, 3000),
    "too_many_connections": (3000, 6000),
    "unavailable": (1000, 4000),
}


# So that the first one is a rise, and not the beginning of a series.
for _reason in (*RETRY_MS, "ended", "gone"):
    metrics.streams_ended.labels(_reason)


def closing(reason: str, position: Cursor | None = None) -> bytes:
    """The last event of a stream: why it ends, and when to come back."""
    retry_ms = random.randint(*RETRY_MS[reason])
    cursor = None if position is None else str(position)
    body = codec.dumps({"type": "closing", "cursor": cursor, "reason": reason, "retryAfterMs": retry_ms})
    return sse.retry(retry_ms) + sse.frame("closing", body, cursor)
