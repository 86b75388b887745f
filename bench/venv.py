"""The peers' packages, in an environment of their own."""

import json
import subprocess
import venv
from functools import cache
from pathlib import Path

from bench.built import FOLDER
from bench.target import CannotRun

PACKAGES = (
    "flask",
    "flask-socketio",
    "flask-sse",
    "gevent",
    "gevent-websocket",
    "gunicorn[gevent]",
    "redis",
    "sse-starlette",
    "uvicorn[standard]",
)
BIN = FOLDER / "venv" / "bin"
NODE = FOLDER / "node"
# Enough for a cold cache and a slow mirror; beyond it something hangs.
INSTALL_S = 300.0


@cache
def python_folder() -> Path:
    """Where the peers' programs are, installed at first use. Raises CannotRun."""
    made = FOLDER / "venv" / "made-of"
    if not (BIN / "gunicorn").exists() or not made.exists() or made.read_text().split() != list(PACKAGES):
        venv.create(FOLDER / "venv", with_pip=True, clear=True)
        _install([str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES])
        made.write_text("\n".join(PACKAGES))
    return BIN


@cache
def node_modules() -> Path:
    """Where socket.io for Node is, installed at first use. Raises CannotRun."""
    if not (NODE / "node_modules" / "socket.io").exists():
        NODE.mkdir(parents=True, exist_ok=True)
        _install(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(NODE), "socket.io"])
    return NODE / "node_modules"


def versions() -> dict[str, str]:
    """Of the peers themselves and what serves them, as far as they are installed, by name."""
    found: dict[str, str] = {}
    if (BIN / "python").exists():
        listed = subprocess.run(
            [str(BIN / "python"), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
            capture_output=True,
            check=False,
            timeout=INSTALL_S,
        )
        asked = {package.partition("[")[0] for package in PACKAGES}
        packages = json.loads(listed.stdout or "[]")
        found = {one["name"]: one["version"] for one in packages if one["name"].lower() in asked}
    package = NODE / "node_modules" / "socket.io" / "package.json"
    if package.exists():
        found["socket.io (Node)"] = json.loads(package.read_text())["version"]
    return found


def _install(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRun(f"{command[0]}: {error}") from error
    if done.returncode:
        raise CannotRun(f"could not be installed: {done.stderr.decode()[-200:].strip()}")
