"""`Flow`: what a client does, told step by step, so that threads and asyncio do the same.

A flow is a generator. It yields one step after another and is sent what came of it; a request without an answer that
counts is thrown into it as `NoAnswer`. It does no I/O and knows no threads: `threads/wire.py` performs the steps in
threads, `aio/wire.py` in a loop. (httpx writes its `auth_flow` in the same way.)
"""

import json
from collections.abc import Generator
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import TypeVar

# Above the contract's bound for a send (10 s).
REQUEST_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request, answered whole. `path` is below `/api/v1/`; `body` becomes JSON.

    Without a `token` it carries that of the session, which is opened first if need be.
    """

    method: str
    path: str
    body: dict[str, Any] | None = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    within_s: float = REQUEST_WITHIN_S
    opens_session: bool = False
    token: str | None = None

    def content(self) -> bytes | None:
        """The body in UTF-8. What is no text in UTF-8 is escaped, for the service to refuse."""
        if self.body is None:
            return None
        try:
            return json.dumps(self.body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing to do: until the flow is woken, or for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Open:
    """A request whose answer comes piece by piece: its status and headers within so long. One at a time."""

    call: Call
    within_s: float


@dataclass(frozen=True, slots=True)
class Read:
    """The next bytes of what is open, within so long; none at its end."""

    within_s: float


Step = Call | Pause | Idle | Open | Read
T = TypeVar("T")
Flow = Generator[Step, Any, T]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step."""

    result: Any = None
    error: Exception | None = None

    def resume(self, flow: Generator[Any, Any, Any]) -> Any:
        """The next step of the flow. Raises StopIteration at its end."""
        return flow.send(self.result) if self.error is None else flow.throw(self.error)
