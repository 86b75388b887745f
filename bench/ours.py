"""The service as `make run` starts it, its private Redis included: everything durable, idempotent, limited."""

import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import httpx
import jwt

from bench import request
from bench.target import CannotRun
from bench.target import Target
from bench.tree import Tree
from tests.support.service import Service

NAME = "chatapp"
ROOM = "bench"
# As many streams as one user may have open unless told otherwise.
STREAMS_PER_USER = 20
# Ten thousand streams.
USERS = 500
SECRET = "of the benchmark, 32 bytes and more"
# An hour. Streams end after 55 s otherwise, some of them in the middle of a measurement.
STREAM_SECONDS = "3600"
# Limits are kept as always, but nobody meets them.
SETTINGS = {
    "CHATAPP_JWT_SECRET": SECRET,
    "CHATAPP_STREAM_SECONDS": STREAM_SECONDS,
    "CHATAPP_RATE_BURST": "1000000",
    "CHATAPP_RATE_PER_SECOND": "1000000",
    "CHATAPP_MAX_CONNECTIONS_PER_USER": str(STREAMS_PER_USER),
}
STREAM = f"/api/v1/events/stream?rooms={ROOM}"
SEND = f"/api/v1/rooms/{ROOM}/messages"
# Signing in at once, each user on its own; more would only wait for the database.
SIGN_INS_AT_ONCE = 8


@dataclass(frozen=True)
class Ours:
    """The running service and the tokens of its users, who are all members of the room unless told otherwise."""

    service: Service
    tokens: list[str]

    @property
    def port(self) -> int:
        return self.service.port

    def tree(self) -> Tree:
        return Tree(self.service.process.pid)

    def streams(self, query: str = "", **headers: str) -> list[str]:
        return [request.get(STREAM + query, token, **headers) for token in self.tokens]

    def sends(self) -> list[str]:
        return [request.post(SEND, request.short_message(), token) for token in self.tokens]

    def target(self) -> Target:
        """All users read the room, one of them writes."""
        return Target(NAME, self.port, self.tree(), self.streams(), self.sends()[:1])

    def target_of(self, requests: Sequence[str], sends: Sequence[str]) -> Target:
        return replace(self.target(), requests=list(requests), sends=list(sends))


@contextmanager
def service(users: int = USERS, rooms: Sequence[Sequence[str]] = ((ROOM,),), **settings: str) -> Iterator[Ours]:
    """Start it with this many users, who get the lists in `rooms` in turn. Raises CannotRun."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            started = Service(Path(folder), **{**SETTINGS, **settings})
        except (RuntimeError, TimeoutError) as error:
            raise CannotRun(str(error)[-300:]) from error
        try:
            tokens = [_token(number, rooms[number % len(rooms)]) for number in range(users)]
            _sign_in(started, tokens)
            yield Ours(started, tokens)
        finally:
            started.stop()


@contextmanager
def ours(users: int = USERS) -> Iterator[Target]:
    with service(users) as started:
        yield started.target()


def _token(number: int, rooms: Sequence[str]) -> str:
    """A host's token: the service makes the user, and the rooms as private ones, at its first use."""
    claims = {"sub": f"user{number}", "name": f"Person {number}", "rooms": list(rooms), "exp": time.time() + 86_400}
    return jwt.encode(claims, SECRET, "HS256")


def _sign_in(started: Service, tokens: Sequence[str]) -> None:
    with httpx.Client(base_url=started.url, timeout=60) as http, ThreadPoolExecutor(SIGN_INS_AT_ONCE) as pool:
        # The first alone: it makes the room.
        answers = [_who(http, tokens[0]), *pool.map(lambda token: _who(http, token), tokens[1:])]
    refused = [answer for answer in answers if answer.status_code != 200]
    if refused:
        raise CannotRun(f"{len(refused)} users could not sign in: {refused[0].text[:300]}")


def _who(http: httpx.Client, token: str) -> httpx.Response:
    return http.get("/api/v1/session", headers={"Authorization": f"Bearer {token}"})
