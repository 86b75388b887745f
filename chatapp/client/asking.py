"""`ask`: one call, again while its outcome is open, within a bound."""

import time
from typing import Any

from chatapp.client.answer import Answer
from chatapp.client.backoff import Backoff
from chatapp.client.errors import Away
from chatapp.client.errors import NoAnswer
from chatapp.client.step import Call
from chatapp.client.step import Flow
from chatapp.client.step import Pause

# Over a restart of the service, which takes a few seconds.
PATIENCE_S = 20.0


def ask(call: Call) -> Flow[dict[str, Any]]:
    """The document of the answer. Every call of the service may be repeated. Raises Refused, Away."""
    gives_up_s = time.monotonic() + PATIENCE_S
    backoff = Backoff()
    while True:
        try:
            answer: Answer = yield call
            return answer.document()
        except NoAnswer as trouble:
            wait_s = backoff.failed(trouble.retry_after_s)
            if time.monotonic() + wait_s > gives_up_s:
                raise Away(f"{call.method} {call.path}: {trouble}") from None
        yield Pause(wait_s)
