"""The C programs, compiled: the bare loop and the loads."""

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
# Everything that the benchmark makes for itself: programs, the peers' packages, the figures of the last run.
FOLDER = HERE.parent / ".bench"
PROGRAMS = ("epoll_server", "load", "posts", "returns", "polls")


def build() -> None:
    """Compile all of them. Raises CalledProcessError, FileNotFoundError (no compiler)."""
    FOLDER.mkdir(exist_ok=True)
    for name in PROGRAMS:
        subprocess.run(["cc", "-O2", "-Wall", "-o", program(name), str(HERE / "c" / f"{name}.c")], check=True)


def program(name: str) -> str:
    return str(FOLDER / name)
