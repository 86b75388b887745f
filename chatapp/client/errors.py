"""Every error of the client.

ChatError
├── Refused           the service says no, for good; `problem` says why
│   └── Unauthenticated   no session, or not any more (401)
├── Away              no answer in the time that was given; what was to be sent still waits in the outbox
├── Closed            this client is closed
├── OutboxFull        as many messages wait as may; this one was not taken
├── OutboxInUse       another process sends from this file
├── OutboxOfAnother   the file belongs to another user, or is of a later version
└── ReplyEnded        the reply ended before all was in it: a minute of silence, an edit, or its sender left
"""

from chatapp.client.problem import Problem


class ChatError(Exception):
    """What all errors of the client have in common."""


class Refused(ChatError):
    """The service says no, and would say so again."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem

    @property
    def code(self) -> str:
        return self.problem.code

    @property
    def status(self) -> int:
        return self.problem.status

    @property
    def detail(self) -> str:
        return self.problem.detail


class Unauthenticated(Refused):
    """The token is none, or its session is over."""


class Away(ChatError):
    """No answer in the time that was given. The text says what happened last."""


class Closed(ChatError):
    """The client is closed."""

    def __init__(self) -> None:
        super().__init__("this client is closed")


class OutboxFull(ChatError):
    """As many messages wait as may. This one was not taken."""


class OutboxInUse(ChatError):
    """Another client, of this process or another, has the file open."""


class OutboxOfAnother(ChatError):
    """The file belongs to another user, or was written by a later version."""


class ReplyEnded(ChatError):
    """The reply ended before all that was written was in it."""


class NoAnswer(Exception):
    """One request had no answer that counts: the outcome is open. Never leaves the client.

    `timed_out` tells silence from a connection that broke, `rate_limited` is a 429, and `retry_after_s` is what the
    service asked for.
    """

    def __init__(
        self,
        reason: str,
        *,
        timed_out: bool = False,
        rate_limited: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.timed_out = timed_out
        self.rate_limited = rate_limited
        self.retry_after_s = retry_after_s
