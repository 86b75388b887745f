"""`Follower`: one of the public clients of Durable Streams, in a process of its own."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty
from queue import Queue
from types import TracebackType
from typing import Any
from typing import Self

from tests.support.person import Person
from tests.support.service import ROOT

HERE = Path(__file__).parent
CLIENTS = {"javascript": ["node", str(HERE / "follow.mjs")], "python": [sys.executable, str(HERE / "follow.py")]}
WITHIN_S = 15.0


class Follower:
    """Begins at once. `lines` are all that it said, `items` what came: events, or the pieces of a text."""

    def __init__(
        self, client: str, who: Person, path: str, *, live: str | bool, offset: str = "-1", url: str | None = None
    ) -> None:
        text = path.startswith("messages/")
        asked = {"url": f"{url or who.url}/api/v1/durable/{path}", "token": who.token, "live": live}
        command = [*CLIENTS[client], json.dumps({**asked, "offset": offset, "text": text})]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._queue: Queue[dict[str, Any] | None] = Queue()
        self.lines: list[dict[str, Any]] = []
        self.items: list[Any] = []
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        _, told = self._process.communicate()
        if error is not None:
            print(str(self.lines)[-1000:], told)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._queue.put(json.loads(line))
        self._queue.put(None)

    def until(self, done: Any) -> None:
        """Until `done()`. Raises TimeoutError, and AssertionError when it ended before."""
        while not done():
            try:
                line = self._queue.get(timeout=WITHIN_S)
            except Empty:
                raise TimeoutError(f"{len(self.items)} items, and then nothing") from None
            assert line is not None, "it ended"
            self.lines.append(line)
            self.items += line.get("items", [])

    def to_the_end(self) -> None:
        """Until it ends by itself."""
        while (line := self._queue.get(timeout=WITHIN_S)) is not None:
            self.lines.append(line)
            self.items += line.get("items", [])

    @property
    def bodies(self) -> list[str]:
        """The messages that it was told of, in their order."""
        return [one["message"]["body"] for one in self.items if one["type"] == "message.created"]

    @property
    def text(self) -> str:
        return "".join(self.items)

    def says(self, text: str) -> bool:
        return self.text == text
