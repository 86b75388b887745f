"""What the client brings along: httpx, and nothing else."""

import subprocess
import sys

LOADED = """
import sys
import httpx
import asyncio, sqlite3, http.cookiejar
before = set(sys.modules)
import {module}
print(*sorted(set(sys.modules) - before))
"""
HEAVY = {"flask", "gevent", "sqlalchemy", "redis", "marshmallow", "orjson", "gunicorn", "click"}


def loaded_by(module: str) -> set[str]:
    said = subprocess.run(
        [sys.executable, "-c", LOADED.format(module=module)], capture_output=True, text=True, check=True
    )
    return set(said.stdout.split())


def test_only_httpx_and_the_standard_library() -> None:
    loaded = loaded_by("chatapp.client")
    own = {one for one in loaded if one == "chatapp" or one.startswith("chatapp.")}
    assert all(one in ("chatapp", "chatapp.client") or one.startswith("chatapp.client.") for one in own), own
    others = {one.partition(".")[0] for one in loaded - own}
    assert others <= set(sys.stdlib_module_names), others - set(sys.stdlib_module_names)
    assert not HEAVY & others


def test_what_is_heavy_would_be_seen() -> None:
    assert HEAVY & {one.partition(".")[0] for one in loaded_by("chatapp.web")}
