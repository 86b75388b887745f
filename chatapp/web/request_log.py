"""A line of the log for each request: what was asked and answered, never by whom or what was in it."""

import logging

from chatapp.runtime import field_line
from chatapp.web.requests import Answered
from chatapp.web.requests import trace_id

log = logging.getLogger(__name__)

# Asked every few seconds by machines, and answered well.
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def write(answered: Answered) -> None:
    """By the address as the routes have it: names of rooms and ids of people stay out of the log."""
    if answered.route in QUIET and answered.status < 400:
        return
    fields = {
        "method": answered.method,
        "route": answered.route,
        "status": answered.status,
        "seconds": round(answered.seconds, 4),
        "bytes": answered.bytes,
        "requestId": answered.request_id,
    }
    if answered.trace_parent is not None:
        fields["traceId"] = trace_id(answered.trace_parent)
    field_line.say(log, "request", fields)
