"""`FirstPlaces`: where this worker first saw the newest rows in the log."""

from chatapp.wire import Cursor


class FirstPlaces:
    """What a row is -> its place: of at least the newest `size` rows, and of twice as many at most.

    In two parts, of which the older one is dropped whole: each row costs a look-up and no more.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._newer: dict[str, Cursor] = {}
        self._older: dict[str, Cursor] = {}

    def note(self, uid: str, cursor: Cursor) -> None:
        """It was seen there; the first time counts."""
        self._newer.setdefault(uid, self._older.get(uid, cursor))
        if len(self._newer) >= self._size:
            self._older, self._newer = self._newer, {}

    def get(self, uid: str) -> Cursor | None:
        found = self._newer.get(uid)
        return self._older.get(uid) if found is None else found
