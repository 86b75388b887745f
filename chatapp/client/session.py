"""`Session`: who the client is. A guest signs in when the first request needs it, and stays the same."""

import time
from collections.abc import Callable
from typing import Any
from typing import TypeVar

from chatapp.client.answer import Answer
from chatapp.client.errors import OutboxOfAnother
from chatapp.client.errors import Refused
from chatapp.client.errors import Unauthenticated
from chatapp.client.kept_session import Kept
from chatapp.client.kept_session import KeptSession
from chatapp.client.message import User
from chatapp.client.outbox import Outbox
from chatapp.client.problem import Problem
from chatapp.client.step import Call
from chatapp.client.step import Flow

# The service renews a guest's session when it is asked for in the second half of its 30 days.
RENEW_AFTER_S = 24 * 3600.0

# Whose session it is, and its token.
Opened = tuple[User, str]
T = TypeVar("T")


class Session:
    """Raises OutboxOfAnother for a file of another guest."""

    def __init__(self, token: str | None, guest: str | None, kept: KeptSession, outbox: Outbox) -> None:
        self._guest = guest
        self._kept = kept
        self._outbox = outbox
        self._former = kept.of(guest)
        self.token = token or (self._former.token if self._former else None)
        self.user = self._former.user if self._former else None
        self._opened_s: float | None = None

    @property
    def is_open(self) -> bool:
        return self._opened_s is not None and time.monotonic() - self._opened_s < RENEW_AFTER_S

    def opening(self) -> Flow[None]:
        """Before the first request, and once a day. Raises NoAnswer, Unauthenticated, OutboxOfAnother."""
        try:
            self._take(*(yield from self._found()))
        except Unauthenticated:
            raise
        except Refused as refusal:
            # Guests are switched off, or the name is none: it must not look as if a message was refused.
            raise Unauthenticated(refusal.problem) from None
        self._opened_s = time.monotonic()

    def _found(self) -> Flow[Opened]:
        if self.token is not None:
            try:
                return (yield from self._call("GET", None, _user)), self.token
            except Unauthenticated:
                if self._guest is None:
                    raise
        return (yield from self._signed_in())

    def _signed_in(self) -> Flow[Opened]:
        """With the token of a guest whose session is over, the service gives the same guest back, or a new one.

        A new one begins with a client, and sends nothing that the former one wrote.
        """
        user, token = yield from self._call("POST", {"name": self._guest}, _begun)
        if self.user is not None and user.id != self.user.id:
            waiting = self._outbox.waiting()
            if waiting or self._opened_s is not None:
                yield from self._sign_out(token)
                detail = f"The session of the guest {self._guest!r} is over; {waiting} of its messages wait."
                raise Unauthenticated(Problem("unauthenticated", 401, detail))
            self._former = None
        return user, token

    def _take(self, user: User, token: str) -> None:
        if self._former is not None and self._former.user.id != user.id:
            raise OutboxOfAnother(f"the outbox belongs to {self._former.user.id}, and the token to {user.id}")
        self.token = token
        self.user = user
        self._former = Kept(user, self._guest, self.token if self._guest is not None else None)
        self._kept.keep(self._former)

    def _call(self, method: str, body: dict[str, Any] | None, parse: Callable[[dict[str, Any]], T]) -> Flow[T]:
        answer: Answer = yield Call(method, "session", body, opens_session=True, token=self.token)
        return answer.parsed(parse)

    def _sign_out(self, token: str) -> Flow[None]:
        yield Call("DELETE", "session", opens_session=True, token=token)


def _user(document: dict[str, Any]) -> User:
    return User.of(document["user"])


def _begun(document: dict[str, Any]) -> Opened:
    return _user(document), str(document["token"])
