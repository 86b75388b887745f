"""`probe`: Python in a process of its own, patched for gevent like a worker, with the service's own parts."""

import subprocess
import sys

PATCHED = "from gevent import monkey\nmonkey.patch_all()\n"
ENDS_WITHIN_S = 60.0


def start_probe(source: str, settings: dict[str, str]) -> subprocess.Popen[str]:
    """To be talked with over its stdin and stdout."""
    return subprocess.Popen(
        _command(source), env=_environment(settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def probe(source: str, settings: dict[str, str]) -> str:
    """What it wrote by its end, which must come without an error and in time."""
    done = subprocess.run(
        _command(source),
        env=_environment(settings),
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _command(source: str) -> list[str]:
    return [sys.executable, "-c", PATCHED + source]


def _environment(settings: dict[str, str]) -> dict[str, str]:
    return {**settings, "PATH": "/usr/bin:/bin"}
