"""`Target`: a server that is measured: how it is started, asked for a stream, and sent a message."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.person import Person
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.service import Service

HERE = Path(__file__).parent
BUILT = HERE.parent / ".bench"
# Of each message, beside the moment when it was sent: a line of chat.
FILLING = "x" * 60
PEOPLE = 25


@dataclass(frozen=True)
class Target:
    """Requests are whole ones, a line each, as load.c reads them."""

    name: str
    port: int
    process: psutil.Process
    requests: list[str]
    sends: list[str]

    def cpu_s(self) -> float:
        """What the server has used so far, its children included."""
        tree = [self.process, *self.process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in tree)


def build() -> None:
    """Compile the loop and the load."""
    BUILT.mkdir(exist_ok=True)
    for name in ("epoll_server", "load"):
        subprocess.run(["cc", "-O2", "-Wall", "-o", str(BUILT / name), str(HERE / f"{name}.c")], check=True)


@contextmanager
def c_loop() -> Iterator[Target]:
    """The floor: the same bytes to the same sockets, and nothing else."""
    port = free_port()
    started = subprocess.Popen([str(BUILT / "epoll_server"), str(port)])
    try:
        process = psutil.Process(started.pid)
        wait_until(lambda: any(one.status == "LISTEN" for one in process.net_connections("tcp")))
        # As long as what the service makes of the same body.
        body = (
            '{"type":"message.created","cursor":"1763781234567-0","room":"bench","message":{"id":'
            '"01a20299-5e35-74d9-a739-d14fa34aed94","localId":"%N","room":"bench","sender":{"id":'
            '"u_01a202995e3574d9a739d14fa34aed94","name":"Sender"},"body":"%T FILLING","createdAt":'
            '"2026-11-22T10:00:00.123Z","status":"sent","cursor":"1763781234567-0","editedAt":null,"deletedAt":null}}'
        ).replace("FILLING", FILLING)
        yield Target("C epoll loop", port, process, [_get("/")], [_post("/", body)])
    finally:
        started.terminate()
        started.wait()


@contextmanager
def ours() -> Iterator[Target]:
    """The service as `make run` starts it, its private Redis included: everything durable, idempotent, limited."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        service = Service(Path(folder))
        try:
            people = [Person(service.url, f"Person {number}") for number in range(PEOPLE)]
            room = people[0].create_room(name="bench")
            for person in people[1:]:
                person.join(room)
            # A number of sixteen digits is unique per run only.
            body = f'{{"localId": "{time.time_ns()}-%N", "body": "%T {FILLING}"}}'
            streams = [_get("/api/v1/events/stream?rooms=bench", person.token) for person in people]
            send = _post("/api/v1/rooms/bench/messages", body, people[0].token)
            yield Target("ours", service.port, psutil.Process(service.process.pid), streams, [send])
            for person in people:
                person.http.close()
        finally:
            service.stop()


def _get(path: str, token: str = "") -> str:
    return rf"GET {path} HTTP/1.1\r\nHost: bench\r\n{_authorization(token)}\r\n"


def _post(path: str, body: str, token: str = "") -> str:
    length = len(body.replace("%T", "@@" + "0" * 20).replace("%N", "0" * 16))
    head = rf"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    return rf"{head}{_authorization(token)}\r\n{body}"


def _authorization(token: str) -> str:
    return rf"Authorization: Bearer {token}\r\n" if token else ""
