"""A line of the log for what somebody received: when a stream is over, or a client polls no more."""

import logging
from typing import Any
from typing import NamedTuple

from chatapp.runtime import field_line

log = logging.getLogger(__name__)


class Request(NamedTuple):
    """By which names the request is known elsewhere: to the proxy in front, and to who traces it."""

    id: str | None = None
    trace_id: str | None = None


def over(message: str, request: Request, *, seconds: float, events: int, bytes_: int, reason: str, **more: Any) -> None:
    """`message` says what is over; `reason` as in `closing`, or `gone`."""
    fields = {"seconds": round(seconds, 3), "events": events, "bytes": bytes_, "reason": reason, **more}
    if request.id is not None:
        fields["requestId"] = request.id
    if request.trace_id is not None:
        fields["traceId"] = request.trace_id
    field_line.say(log, message, fields)
