"""`ask`: one call, again while its outcome is open, within a bound."""

import math
import time
from collections.abc import Callable
from typing import Any
from typing import TypeVar

from chatapp.client.answer import Answer
from chatapp.client.backoff import Backoff
from chatapp.client.errors import Away
from chatapp.client.errors import NoAnswer
from chatapp.client.step import Call
from chatapp.client.step import Flow
from chatapp.client.step import Pause

# Over a restart of the service, which takes a few seconds.
PATIENCE_S = 20.0

T = TypeVar("T")


def nothing(_document: dict[str, Any]) -> None:
    """For calls whose answer says no more than that it is done."""


def ask(call: Call, parse: Callable[[dict[str, Any]], T], within_s: float = math.inf) -> Flow[T]:
    """What `parse` makes of the answer. Every call of the service may be repeated. Raises Refused, Away."""
    gives_up_s = time.monotonic() + min(PATIENCE_S, within_s)
    backoff = Backoff()
    while True:
        try:
            answer: Answer = yield call
            return answer.parsed(parse)
        except NoAnswer as trouble:
            wait_s = backoff.failed(trouble.retry_after_s)
            if time.monotonic() + wait_s > gives_up_s:
                raise Away(f"{call.method} {call.path}: {trouble}") from None
        yield Pause(wait_s)
