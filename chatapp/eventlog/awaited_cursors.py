"""`AwaitedCursors`: who waits for the cursor of a row that was committed just now."""

from collections.abc import Callable

from gevent.event import AsyncResult

from chatapp.runtime import Recent
from chatapp.wire import Cursor

REMEMBERED = 10_000


class AwaitedCursors:
    """Cursors by the numbers of their rows, as they become known. Only one request waits for a row."""

    def __init__(self) -> None:
        self._known: Recent[int, Cursor] = Recent(REMEMBERED)
        self._waiting: dict[int, AsyncResult[Cursor | None]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._known

    def get(self, number: int, seconds: float, hopeless: Callable[[], bool]) -> Cursor | None:
        """The cursor of a row; None if it takes longer than this, and at once if waiting is hopeless."""
        cursor = self._known.get(number)
        if cursor is not None or seconds <= 0 or hopeless():
            return cursor
        result = self._waiting.setdefault(number, AsyncResult())
        try:
            result.wait(seconds)
        finally:
            self._waiting.pop(number, None)
        return result.get() if result.ready() else None

    def tell(self, number: int, cursor: Cursor) -> None:
        self._known[number] = cursor
        self._answer(number, cursor)

    def give_up(self) -> None:
        """Nobody needs to wait for what cannot come now."""
        for number in list(self._waiting):
            self._answer(number, None)

    def _answer(self, number: int, cursor: Cursor | None) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            waiting.set(cursor)
