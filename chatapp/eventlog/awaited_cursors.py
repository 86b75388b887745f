"""`AwaitedCursors`: who waits for the cursor of a row that was committed just now."""

from collections.abc import Callable

from gevent.event import AsyncResult

from chatapp.runtime import Recent
from chatapp.wire import Cursor

REMEMBERED = 10_000


class AwaitedCursors:
    """Cursors by what their rows are, as they become known. Only one request waits for a row."""

    def __init__(self) -> None:
        self._known: Recent[str, Cursor] = Recent(REMEMBERED)
        self._waiting: dict[str, AsyncResult[Cursor | None]] = {}

    def __contains__(self, uid: str) -> bool:
        return uid in self._known

    def get(self, uid: str, seconds: float, hopeless: Callable[[], bool]) -> Cursor | None:
        """The cursor of a row; None if it takes longer than this, and at once if waiting is hopeless."""
        cursor = self._known.get(uid)
        if cursor is not None or seconds <= 0 or hopeless():
            return cursor
        result = self._waiting.setdefault(uid, AsyncResult())
        try:
            result.wait(seconds)
        finally:
            self._waiting.pop(uid, None)
        return result.get() if result.ready() else None

    def tell(self, uid: str, cursor: Cursor) -> None:
        self._known[uid] = cursor
        self._answer(uid, cursor)

    def give_up(self) -> None:
        """Nobody needs to wait for what cannot come now."""
        for uid in list(self._waiting):
            self._answer(uid, None)

    def _answer(self, uid: str, cursor: Cursor | None) -> None:
        waiting = self._waiting.pop(uid, None)
        if waiting is not None:
            waiting.set(cursor)
