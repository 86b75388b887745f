"""The shape of the code: imports point one way, and each boundary is crossed in few places."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import ROOT

PACKAGE = ROOT / "chatapp"

# From the bottom up: a module imports only from rows above its own, or from its own row.
LAYERS = [
    {
        "config",
        "wire",
        "sse",
        "event",
        "recent",
        "redis_scripts",
        "listener",
        "answer",
        "rows",
        "native",
        "wheel",
        "peers",
        "fanout",
    },
    {"errors", "models", "redis_link"},
    {"schemas", "background", "gather", "event_log", "window", "deadline", "embedded_redis", "data_lock"},
    {"database", "access", "render", "positions", "delivery"},
    {"hub", "admission", "committer", "connections"},
    {"outbox", "history", "membership", "room_list", "reader", "lookup"},
    {"known_rooms", "rooms", "feed", "receipts", "messaging", "batch", "stream", "portable", "detached", "detach"},
    {"sessions"},
    {"services"},
    {"auth"},
    {"api", "pages", "replay"},
    {"__init__"},
    {"check"},
    {"exchange"},
    {"cli", "worker", "master", "migrations"},
    {"__main__"},
]
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield parts[0], path


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: str(value)[-40:])
def test_imports_point_one_way(module: str, path: Path) -> None:
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "chatapp":
            target = parts[1] if parts[1] in RANK else "__init__"
            assert RANK[target] <= RANK[module], f"{path.name} imports {name}"


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("flask.request", {"api", "pages", "auth", "errors"}),
        (
            "gevent",
            {
                "background",
                "hub",
                "listener",
                "detached",
                "peers",
                "gather",
                "native",
                "lookup",
                "outbox",
                "database",
                "deadline",
                "worker",
                "embedded_redis",
                "data_lock",
            },
        ),
        ("redis", {"redis_link", "event_log"}),
        ("marshmallow", {"schemas", "sessions", "api"}),
    ],
)
def test_few_places_know_a_library(library: str, allowed: set[str]) -> None:
    users = {
        module
        for module, path in modules()
        for name in imported(path)
        if name == library or name.startswith(f"{library}.")
    }
    assert users <= allowed


def test_only_the_configuration_reads_the_environment() -> None:
    readers = {module for module, path in modules() if "os.environ" in path.read_text()}
    # The embedded server inherits the environment; it reads nothing from it.
    assert readers <= {"config", "embedded_redis"}
