"""`KeptEvents`: events of the past, from the database, encoded once for all who read them."""

import json
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table
from sqlalchemy import select

from chatapp.eventlog import bodies
from chatapp.eventlog.bodies import Kept
from chatapp.eventlog.tail import Tail
from chatapp.runtime import Recent
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Prepared
from chatapp.storage import Rows
from chatapp.storage import rows_within
from chatapp.wire import Event
from chatapp.wire import event_types

# Clients that come back together stand at few places, so few pages serve many of them: about 6 MB at this size, as
# people write. Longer ones are read again, so that it is 40 MB at most.
REMEMBERED = 5_000
REMEMBERED_MAX_BYTES = 8 * 1024
# Messages whose changes are remembered: far more than change while a page is read.
CHANGES_REMEMBERED = 10_000

# Of these nobody says here when what they are about has changed.
UNFIT = (event_types.MESSAGE_STATUS, event_types.ROOM_UPDATED)

# A row of `events`: its number, and its place in the log if it has one.
Place = tuple[int, int | None]

_EVENTS = cast(Table, EventRow.__table__)
GIVEN = Prepared.among(
    _EVENTS.c.number, "numbers", lambda among_these: bodies.told(select(_EVENTS).where(among_these).subquery("given"))
)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """`as_of`: how many changes this worker had heard of before the event was read."""

    event: Event
    as_of: int


class KeptEvents:
    """Each event in the present state of its message, as far as this worker has heard of changes; like the window's.

    Remembered only while the tail hears what others change: it calls `take` and, after a break, `forget_all`.
    """

    def __init__(self, database: Database, tail: Tail) -> None:
        self._database = database
        self._tail = tail
        self._known: Recent[int, _Remembered] = Recent(REMEMBERED)
        self._loading = 0
        self._heard = 0
        # Message -> the number of its newest change.
        self._changed: dict[str, int] = {}
        # Changes up to this one are not remembered any more: any message may have changed by then.
        self._forgotten = 0

    def events(self, places: Sequence[Place]) -> list[Event]:
        """The events at these places, in this order, without what was pruned just now. Raises Unavailable."""
        found = {number: event for number, place in places if (event := self._remembered(number, place)) is not None}
        found |= self._load([(number, place) for number, place in places if number not in found])
        return [found[number] for number, _ in places if number in found]

    def take(self, events: Iterable[Event]) -> None:
        """The tail's news: what messages say now may have changed."""
        if not self._known and not self._loading:
            return
        for event in events:
            if event.type == event_types.MESSAGE_STATUS:
                self._change(event.body["messageId"])
            elif event.message_id is not None and event.type != event_types.MESSAGE_CREATED:
                self._change(event.message_id)

    def forget_all(self) -> None:
        """Changes may have been missed."""
        self._known.clear()
        self._heard += 1
        self._forgotten = self._heard

    def _change(self, message_id: str) -> None:
        self._heard += 1
        self._changed.pop(message_id, None)
        self._changed[message_id] = self._heard
        if len(self._changed) > CHANGES_REMEMBERED:
            self._forgotten = self._changed.pop(next(iter(self._changed)))

    def _remembered(self, number: int, place: int | None) -> Event | None:
        known = self._known.get(number)
        if known is None or known.event.cursor != place or not self._tail.current:
            return None
        return known.event if known.as_of >= self._newest_change(known.event.message_id) else None

    def _newest_change(self, message_id: str | None) -> int:
        return max(self._forgotten, self._changed.get(message_id or "", 0))

    def _load(self, places: Sequence[Place]) -> dict[int, Event]:
        if not places:
            return {}
        as_of = self._heard
        numbers = [number for number, _ in places]
        self._loading += 1
        try:
            kept, more = self._database.read(lambda tx: _rows(rows_within(tx), numbers))
        finally:
            self._loading -= 1
        place_of = dict(places)
        loaded = {row.number: bodies.event(row, place_of[row.number], more) for row in kept}
        growing = {row.number for row in kept if row.growing}
        for number, event in loaded.items():
            # What a sender is told of one message is nobody else's, and counts. What grows says more in a moment.
            fit = (
                number not in growing
                and event.cursor is not None
                and event.type not in UNFIT
                and len(event.frame) <= REMEMBERED_MAX_BYTES
            )
            if fit and as_of >= self._newest_change(event.message_id):
                self._known[number] = _Remembered(event, as_of)
        return loaded


def _rows(rows: Rows, numbers: Sequence[int]) -> tuple[list[Kept], bodies.Besides]:
    kept = bodies.ask(rows, GIVEN, numbers=json.dumps(numbers))
    return kept, bodies.besides(rows, kept)
