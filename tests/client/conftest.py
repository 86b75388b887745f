"""Fixtures: both twins of the client, and networks for them."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chatapp.client import AsyncClient
from chatapp.client import ChatError
from chatapp.client import Client
from tests.client.blocking import Blocking
from tests.client.blocking import Loop
from tests.conftest import Start
from tests.support.person import Person
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

Connect = Callable[..., Any]


@pytest.fixture(scope="session")
def lively(start_for_all: Start) -> Service:
    """A service whose streams beat and end often."""
    return start_for_all("sqlite", CHATAPP_HEARTBEAT_SECONDS="0.5", CHATAPP_STREAM_SECONDS="3")


@pytest.fixture
def service(lively: Service) -> Service:
    return lively


@pytest.fixture(params=["threads", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes a client: `Client`, or `AsyncClient` behind the same words. Closed at the end, if the test has not."""
    loop = Loop() if request.param == "asyncio" else None
    made: list[Any] = []

    def connecting(url: str, *args: Any, **named: Any) -> Any:
        if loop is None:
            client: Any = Client(url, *args, **named)
        else:
            client = Blocking(loop, AsyncClient(url, *args, **named)).__enter__()
        made.append(client)
        return client

    yield connecting
    for client in made:
        # What waits now waits for good: the test is over.
        with suppress(ChatError):
            client.close(timeout=0)
    if loop is not None:
        loop.end()


@pytest.fixture
def proxy(service: Service) -> Iterator[TcpProxy]:
    with TcpProxy("127.0.0.1", service.port) as proxy:
        yield proxy


@pytest.fixture
def own_room(ada: Person) -> str:
    """A public room of Ada's."""
    return ada.create_room()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"
