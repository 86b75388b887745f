"""`Crowd`: thousands of raw clients in one thread, which read streams and keep count of what they got."""

import resource
import select
import socket
import time
from urllib.parse import urlsplit

from tests.support.person import Person

CONNECT_TIMEOUT_S = 60.0
CHUNK_BYTES = 1 << 18


class Client:
    """One connection: what it asked for and what it was given so far."""

    __slots__ = ("began_s", "caught_up_s", "socket", "text")

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(address)
        self.began_s = time.monotonic()
        self.caught_up_s = 0.0
        self.text = b""


class Crowd:
    """Opens `count` streams over a second, in turn for these people."""

    def __init__(self, url: str, people: list[Person], count: int) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._people = people
        self._count = count
        self.clients: list[Client] = []

    def close(self) -> None:
        for client in self.clients:
            client.socket.close()

    def come_back(self, cursor: str, mark: bytes, wanted: int, within_s: float) -> None:
        """All connect within a second with this cursor; wait until each has got `mark` `wanted` times.

        Raises TimeoutError, and ConnectionError when one is turned away.
        """
        epoll = select.epoll()
        by_descriptor: dict[int, tuple[Client, Person]] = {}
        started_s = time.monotonic()
        waiting = 0
        while waiting or len(self.clients) < self._count:
            elapsed_s = time.monotonic() - started_s
            if elapsed_s > within_s:
                raise TimeoutError(f"{waiting} of {self._count} clients had not caught up after {within_s} s")
            while len(self.clients) < min(self._count, int(elapsed_s * self._count) + 1):
                client = Client(self._address)
                person = self._people[len(self.clients) % len(self._people)]
                by_descriptor[client.socket.fileno()] = (client, person)
                epoll.register(client.socket.fileno(), select.EPOLLOUT)
                self.clients.append(client)
                waiting += 1
            for descriptor, events in epoll.poll(0.01):
                client, person = by_descriptor[descriptor]
                if events & select.EPOLLOUT:
                    client.socket.send(_request(person, cursor))
                    epoll.modify(descriptor, select.EPOLLIN)
                    continue
                received = client.socket.recv(CHUNK_BYTES)
                client.text += received
                if not received or b"event: closing" in client.text:
                    raise ConnectionError(f"a client was turned away: {client.text[-300:]!r}")
                if client.text.count(mark) >= wanted:
                    client.caught_up_s = time.monotonic() - started_s
                    client.text = b""
                    epoll.unregister(descriptor)
                    waiting -= 1
        epoll.close()

    def caught_up_s(self, part: float) -> float:
        """Within how many seconds since the first connected this part of all had caught up."""
        times = sorted(client.caught_up_s for client in self.clients)
        return times[min(len(times) - 1, int(part * len(times)))]


def _request(person: Person, cursor: str) -> bytes:
    return (
        f"GET /api/v1/events/stream HTTP/1.1\r\nHost: lab\r\nAuthorization: Bearer {person.token}\r\n"
        f"Last-Event-ID: {cursor}\r\n\r\n"
    ).encode()
