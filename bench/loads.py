"""The loads, as Python starts them: `Load` holds streams and sends; `posts`, `returns`, `polls` do one thing."""

import json
import select
import subprocess
import tempfile
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.built import program
from bench.target import CannotRun
from bench.target import Target
from tests.support.processes import wait_until

# Longer than the loads themselves wait for their servers: beyond it something hangs.
PATIENCE_S = 90.0
NUDGE_S = 0.5

Said = dict[str, Any]


class Load:
    """Many open streams on one target. `opened` is what was found when the last was open."""

    def __init__(
        self, target: Target, streams: int, options: Mapping[str, float] | None = None, *, command: str = "load"
    ) -> None:
        self._held = ExitStack()
        self._target = target
        folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="bench-load-")))
        files = [_written(folder / "requests", target.requests), _written(folder / "sends", target.sends)]
        given = {"streams": streams, "clients": streams, "socketio": int(target.socketio), **(options or {})}
        self._process = subprocess.Popen(
            [program(command), str(target.port), *files, *(f"{name}={value:g}" for name, value in given.items())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # What was read ahead would not be seen by select.
            bufsize=0,
        )
        try:
            self.opened = self._opened(streams)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def go(self) -> Said:
        """Send as told, until the last message has arrived or is given up. Raises CannotRun."""
        out, err = self._process.communicate(b"go\n", timeout=PATIENCE_S)
        return _said(out, "done", err)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate(timeout=PATIENCE_S)
        self._held.close()

    def _opened(self, streams: int) -> Said:
        line = self._line()
        if line.startswith(b"asked "):
            line = self._line(nudged=True)
        opened = _said(line, "open", b"")
        ready = opened["streams"] if "streams" in opened else opened["clients"]
        if ready < streams or opened.get("ended"):
            raise CannotRun(f"{ready} of {streams} streams could be opened, {opened.get('ended', 0)} ended")
        if self._target.subscribed is not None:
            subscribed = self._target.subscribed
            wait_until(lambda: subscribed() >= streams, PATIENCE_S, f"{streams} subscriptions")
        return opened

    def _line(self, *, nudged: bool = False) -> bytes:
        assert self._process.stdout is not None
        for _ in range(int(PATIENCE_S / NUDGE_S)):
            if select.select([self._process.stdout], [], [], NUDGE_S)[0]:
                line = self._process.stdout.readline()
                if not line:
                    raise CannotRun(self._process.communicate(timeout=PATIENCE_S)[1].decode()[:300])
                return line
            if nudged and self._target.nudge is not None:
                self._target.nudge()
        raise CannotRun(f"streams were not open after {PATIENCE_S:g} s")


def posts(port: int, requests: Sequence[str], options: Mapping[str, float]) -> Said:
    """Requests one after another on each connection. `requests` in turn. Raises CannotRun."""
    return _run("posts", port, requests, options)


def returns(port: int, requests: Sequence[str], options: Mapping[str, float]) -> Said:
    """Clients that come back at once, `requests` in turn. Raises CannotRun."""
    return _run("returns", port, requests, options)


def _run(command: str, port: int, requests: Sequence[str], options: Mapping[str, float]) -> Said:
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        file = _written(Path(folder) / "requests", requests)
        given = [f"{name}={value:g}" for name, value in options.items()]
        done = subprocess.run(
            [program(command), str(port), file, *given], capture_output=True, timeout=PATIENCE_S, check=False
        )
    return _said(done.stdout, "done", done.stderr)


def _written(path: Path, lines: Sequence[str]) -> str:
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def _said(out: bytes, word: str, err: bytes) -> Said:
    for line in out.decode().splitlines():
        if line.startswith(f"{word} "):
            found: Said = json.loads(line.removeprefix(f"{word} "))
            if found.get("refused"):
                raise CannotRun(f"{found['refused']} requests refused: {err.decode()[:300]}")
            return found
    raise CannotRun(f"the load said {out.decode()[:100]!r}: {err.decode()[:300]}")
