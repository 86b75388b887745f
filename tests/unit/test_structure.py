"""The shape of the code: rooms with faces, imports that point one way, and each boundary crossed in few places."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.service import ROOT

PACKAGE = ROOT / "chatapp"

# From the bottom up: each room, and what it may import besides `config`. An outsider takes only what stands in the
# `__all__` of a room's `__init__.py`, which is its face.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "root": set(),
    "runtime": {"errors"},
    "origin": set(),
    "setting_reader": {"origin"},
    "config": {"runtime", "origin", "setting_reader"},
    "prometheus_client_ties": set(),
    "metrics": {"errors", "prometheus_client_ties"},
    "demo": set(),
    # For programs that take this folder alone.
    "client": set(),
    "storage": {"errors", "runtime"},
    "wire": {"errors", "runtime", "storage"},
    "eventlog": {"errors", "metrics", "runtime", "storage", "wire"},
    "people": {"errors", "runtime", "storage", "wire", "eventlog"},
    "sending": {"errors", "metrics", "runtime", "storage", "wire", "eventlog", "people"},
    "receiving": {"errors", "metrics", "runtime", "storage", "wire", "eventlog", "people"},
    "keeping": {"errors", "runtime", "storage", "wire", "eventlog", "people", "receiving"},
    "services": {"errors", "storage", "wire", "eventlog", "people", "sending", "receiving", "keeping"},
    "web": {
        "errors",
        "root",
        "metrics",
        "prometheus_client_ties",
        "origin",
        "demo",
        "runtime",
        "storage",
        "wire",
        "eventlog",
        "people",
        "sending",
        "receiving",
        "services",
    },
    "server": {
        "errors",
        "metrics",
        "prometheus_client_ties",
        "runtime",
        "storage",
        "wire",
        "receiving",
        "services",
        "web",
    },
    "command": {
        "errors",
        "root",
        "client",
        "runtime",
        "storage",
        "wire",
        "eventlog",
        "people",
        "receiving",
        "keeping",
        "web",
        "server",
    },
    "__main__": {"command"},
    "__init__": set(),
}
# config reads the environment, and every room but the lowest may read it.
BELOW_CONFIG = {
    "errors",
    "runtime",
    "origin",
    "config",
    "setting_reader",
    "demo",
    "client",
    "metrics",
    "prometheus_client_ties",
}

# Alembic runs these by their path.
BY_PATH = "storage.migrations"


@dataclass(frozen=True)
class Import:
    """`from chatapp.<module> import <name>`, or `import chatapp.<module>` without a name."""

    module: str
    name: str | None


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.is_symlink():
            continue  # What stands at the top of the source, for the wheel.
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = path
    return found


MODULES = modules()


def room_of(module: str) -> str:
    return module.split(".")[0]


def imports(tree: ast.AST) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "chatapp" or alias.name.startswith("chatapp."):
                    yield Import(alias.name.removeprefix("chatapp").removeprefix("."), None)
        elif isinstance(node, ast.ImportFrom) and node.module and room_of(node.module) == "chatapp":
            for alias in node.names:
                yield Import(node.module.removeprefix("chatapp").removeprefix("."), alias.name)


def wrong(module: str, source: str, faces: dict[str, set[str]]) -> Iterator[str]:
    """What is wrong with the imports of a module."""
    here = room_of(module)
    if here not in MAY_IMPORT:
        yield f"{module} stands in no room that is known here"
        return
    allowed = MAY_IMPORT[here] | (set() if here in BELOW_CONFIG else {"config"})
    for one in imports(ast.parse(source)):
        there = room_of(one.module) if one.module else str(one.name)
        if there == here:
            if one.module == here and one.name is not None and f"{here}.{one.name}" not in MODULES and one.name:
                yield f"{module} takes {one.name} from the face of its own room"
        elif there not in allowed:
            yield f"{module} imports {there}"
        elif there in faces and (one.module != there or one.name not in faces[there]):
            yield f"{module} goes past the face of {there}: {one.module}.{one.name}"


def faces() -> dict[str, set[str]]:
    found = {}
    for room in MAY_IMPORT:
        if (PACKAGE / room / "__init__.py").exists():
            found[room] = set(importlib.import_module(f"chatapp.{room}").__all__)
    return found


FACES = faces()


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way_and_go_by_the_faces(module: str) -> None:
    assert list(wrong(module, MODULES[module].read_text(), FACES)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("eventlog.outbox", "from chatapp.people import Identity"),
        ("sending.batch", "from chatapp.receiving import Feed"),
        ("web.pages", "from chatapp.people.sessions import Sessions"),
        ("web.pages", "import chatapp.people.sessions"),
        ("runtime.loop", "from chatapp.config import Config"),
        ("people.rooms", "from chatapp.people import Sessions"),
        ("client.errors", "from chatapp.errors import ChatError"),
        ("client.threads.client", "from chatapp.config import Config"),
        ("attic.box", ""),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    assert list(wrong(module, source, FACES))


@pytest.mark.parametrize("room", FACES)
def test_a_face_has_what_it_promises(room: str) -> None:
    face = importlib.import_module(f"chatapp.{room}")
    assert face.__doc__
    assert list(face.__all__) == sorted(face.__all__, key=lambda name: (_kind(name), name))
    missing = [name for name in face.__all__ if not hasattr(face, name) and f"{room}.{name}" not in MODULES]
    assert missing == []


def _kind(name: str) -> int:
    """Constants first, then classes, then the rest, as ruff sorts them."""
    return 0 if name.isupper() else 1 if name[0].isupper() else 2


def inner_imports(module: str, source: str) -> set[str]:
    """The modules of its own room that a module imports."""
    found = set()
    for one in imports(ast.parse(source)):
        for candidate in (f"{one.module}.{one.name}", one.module):
            if candidate in MODULES:
                if room_of(candidate) == room_of(module):
                    found.add(candidate)
                break
    return found - {module}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in a ring, if there is one."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            if found := visit(other, [*path, node]):
                return found
        done.add(node)
        return []

    for node in sorted(graph):
        if found := visit(node, []):
            return found
    return []


def graph() -> dict[str, set[str]]:
    # A face imports all of its room, and is imported only from outside.
    return {module: inner_imports(module, path.read_text()) for module, path in MODULES.items() if module not in FACES}


def test_no_circle_within_a_room() -> None:
    assert circle(graph()) == []


def test_a_circle_is_found() -> None:
    planted = graph()
    planted["receiving.reader"] = planted["receiving.reader"] | {"receiving.feed"}
    assert circle(planted)[0] == circle(planted)[-1]
    assert {"receiving.reader", "receiving.feed"} <= set(circle(planted))


@cache
def named(path: Path) -> frozenset[str]:
    """What a module imports, by whole names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("flask", {"web", "command", BY_PATH}),
        ("gunicorn", {"server.gunicorn_ties", "command.check.start"}),
        ("gevent.monkey", {"runtime.gevent_ties"}),
        ("gevent.server", {"runtime.gevent_ties"}),
        (
            "gevent",
            {
                "runtime",
                "storage.database",
                "storage.postgres_hosts",
                "eventlog",
                "people.cache",
                "receiving.carriers",
                "web.deadline",
                "server.line_queue",
                "server.worker",
            },
        ),
        (
            "redis",
            {
                "storage.redis_link",
                "storage.redis_ties",
                "storage.redis_pool_ties",
                "eventlog.live_log",
                "people.online",
                "sending.admission",
            },
        ),
        ("psycopg", {"storage.psycopg_ties"}),
        ("marshmallow", {"wire", "people.host_token", "web.api.inputs", "web.documents"}),
        ("apispec", {"web.documents.components"}),
        ("sqlalchemy.sql", set()),
        ("orjson", {"wire.codec"}),
        ("prometheus_client", {"metrics", "prometheus_client_ties", "web.metrics"}),
        ("jwt", {"people.host_token", "command.token"}),
        ("idna", {"origin"}),
        ("httpx", {"client.http_request", "client.threads", "client.aio"}),
    ],
)
def test_few_places_know_a_library(library: str, allowed: set[str]) -> None:
    users = {
        module for module, path in MODULES.items() if any(f"{name}.".startswith(f"{library}.") for name in named(path))
    }
    assert {one for one in users if not any(one == room or one.startswith(f"{room}.") for room in allowed)} == set()


def test_only_the_configuration_reads_the_environment() -> None:
    readers = {module for module, path in MODULES.items() if "os.environ" in path.read_text()}
    # What the master starts inherits the environment, and `serve` hands on what it was told; they read nothing from it.
    assert readers <= {"config", "server.embedded_redis", "server.demo_process", "command.serve"}


# The contract of the house is 50 ms; fourfold, and of the processor, because the machine is shared.
IMPORT_BOUND_S = 4 * 0.05
HEAVY = ("flask", "sqlalchemy", "gevent", "redis", "alembic")
IMPORTING = """
import sys, time
before_s = time.process_time()
import {module}
took_s = time.process_time() - before_s
print(took_s, *(sys.modules.keys() & {heavy}))
"""


@pytest.mark.parametrize("module", ["chatapp", "chatapp.wire.sse"])
def test_what_is_small_is_imported_quickly(module: str) -> None:
    code = IMPORTING.format(module=module, heavy=set(HEAVY))
    said = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    took_s, loaded = zip(*((float(words[0]), words[1:]) for words in (one.stdout.split() for one in said)), strict=True)
    assert loaded == ([],) * 3
    assert min(took_s) < IMPORT_BOUND_S
    print(f"{module}: {min(took_s) * 1000:.1f} ms")
