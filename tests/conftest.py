"""Fixtures: real servers, started once for the whole run, and people who use them."""

import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import sync_playwright

from tests.support.chromium import ARGUMENTS
from tests.support.chromium import CHROMIUM
from tests.support.open_folder import open_folder
from tests.support.person import Person
from tests.support.postgres import Postgres
from tests.support.redis_server import RedisServer
from tests.support.service import ROOT
from tests.support.service import Service

Start = Callable[..., Service]


@pytest.fixture(autouse=True)
def same_umask() -> Iterator[None]:
    """A service that a test makes in this process closes new files to others, for good: not those of later tests."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="session", autouse=True)
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment as it was, for who goes to the registry. The tests' own clients believe nobody there: to read the
    list of the world's authorities takes each of them a tenth of a second, and nothing here has its certificate from
    one of those."""
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSL_CERT_FILE", raising=False)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("authorities")))
        yield before


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with open_folder() as folder:
        server = Postgres(folder / "cluster")
        yield server
        server.stop()


@pytest.fixture(scope="session")
def ending() -> Iterator[ThreadPoolExecutor]:
    """Where services are stopped: each takes two seconds, most of them waiting."""
    with ThreadPoolExecutor(8) as ending:
        yield ending


@contextmanager
def _starting(postgres: Postgres, folders: pytest.TempPathFactory, ending: ThreadPoolExecutor) -> Iterator[Start]:
    services: list[Service] = []

    def start(database: str = "postgres", under: Sequence[str] = (), tree: Path = ROOT, **settings: str) -> Service:
        stands_on = (
            {"DATABASE_URL": postgres.database(), "WEB_CONCURRENCY": "2"}
            if database == "postgres"
            else {"WEB_CONCURRENCY": "1"}
        )
        service = Service(folders.mktemp(database), under, tree, **{**stands_on, **settings})
        services.append(service)
        return service

    yield start
    for service in services:
        ending.submit(service.stop)


@pytest.fixture(scope="module")
def start_service(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, ending: ThreadPoolExecutor
) -> Iterator[Start]:
    """Start a service on `database` 'postgres' (two workers) or 'sqlite' (one), with a Redis of its own.

    It ends with the module: an idle one takes two hundredths of a core, and there are a hundred and fifty.
    """
    with _starting(postgres, tmp_path_factory, ending) as start:
        yield start


@pytest.fixture
def clusters() -> Iterator[Callable[..., Postgres]]:
    """Makes clusters of their own, as one after the other is asked for."""
    with open_folder() as folder, ExitStack() as stopped:

        def make(name: str, standby_of: Postgres | None = None) -> Postgres:
            server = Postgres(folder / name / "cluster", standby_of)
            stopped.callback(server.stop)
            return server

        yield make


@pytest.fixture(scope="session")
def start_for_all(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, ending: ThreadPoolExecutor
) -> Iterator[Start]:
    """As `start_service`, for what several modules share: it ends with the run."""
    with _starting(postgres, tmp_path_factory, ending) as start:
        yield start


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared(start_for_all: Start) -> Callable[[str], Service]:
    """The services that many tests share, each started when it is first asked for."""

    @cache
    def of(kind: str) -> Service:
        return start_for_all("sqlite", CHATAPP_CARRIER="portable") if kind == "portable" else start_for_all(kind)

    return of


@pytest.fixture(params=["postgres", "sqlite", pytest.param("portable", marks=pytest.mark.long)])
def service(request: pytest.FixtureRequest, shared: Callable[[str], Service]) -> Service:
    """The shared service, once on each database, and once over the portable carrier. Tests use rooms and people of
    their own in it."""
    return shared(request.param)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    yield server
    server.stop()


@pytest.fixture
def ada(service: Service) -> Iterator[Person]:
    with Person(service.url, "Ada") as person:
        yield person


@pytest.fixture
def bob(service: Service) -> Iterator[Person]:
    with Person(service.url, "Bob") as person:
        yield person


@pytest.fixture
def eve(service: Service) -> Iterator[Person]:
    """A stranger to all rooms but `general`."""
    with Person(service.url, "Eve") as person:
        yield person


@pytest.fixture
def room(ada: Person, bob: Person) -> str:
    """A public room of Ada's that Bob has joined."""
    name = ada.create_room()
    bob.join(name)
    return name


@pytest.fixture
def private_room(ada: Person, bob: Person) -> str:
    """A private room of Ada's into which Bob is invited."""
    name = ada.create_room("private")
    ada.invite(name, bob)
    return name
