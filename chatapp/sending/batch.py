"""`Batch`: an outbox, replayed in order."""

import time
from typing import Any

from chatapp.errors import ChatError
from chatapp.errors import Unavailable
from chatapp.people import Identity
from chatapp.sending.messaging import Messaging
from chatapp.sending.messaging import Sent
from chatapp.storage import MessageStatus
from chatapp.wire import Content
from chatapp.wire import schemas

# Every request is answered within 10 s: what a batch has not sent after this time, its client has to send again.
BATCH_SECONDS = 4.0

BATCH_ITEM = schemas.BatchItemSchema()


class Batch:
    """One replay. A room where one item is to be sent again takes no new ones behind it: their order must hold."""

    def __init__(self, messaging: Messaging, who: Identity) -> None:
        self._messaging = messaging
        self._who = who
        self._deadline_s = time.monotonic() + BATCH_SECONDS
        # Why a room takes no more.
        self._blocked: dict[str, ChatError] = {}

    def send(self, items: list[Any]) -> list[dict[str, Any]]:
        """Returns one result for each item, in the same order."""
        outcomes = [(_local_id_of(item), self._outcome(item)) for item in items]
        self._messaging.await_cursors(outcome for _, outcome in outcomes if isinstance(outcome, Sent))
        return [_result(local_id, outcome) for local_id, outcome in outcomes]

    def _outcome(self, item: Any) -> Sent | ChatError:
        room = _room_of(item)
        try:
            loaded = schemas.load_send(BATCH_ITEM, item)
            return self._send(room, loaded["localId"], schemas.content_of(loaded))
        except ChatError as refused:
            error, _ = self._messaging.refuse(self._who, _local_id_of(item), refused)
            if error.retryable:
                self._blocked[room] = error
            return error

    def _send(self, room: str, local_id: str, content: Content) -> Sent:
        if room not in self._blocked and time.monotonic() > self._deadline_s:
            self._blocked[room] = Unavailable("The batch took too long.")
        if room not in self._blocked:
            return self._messaging.store(self._who, room, local_id, content)
        accepted = self._messaging.accepted(self._who, room, local_id, content)
        if accepted is None:
            raise self._blocked[room]
        return accepted


def _local_id_of(item: Any) -> str | None:
    local_id = item.get("localId") if isinstance(item, dict) else None
    return local_id if isinstance(local_id, str) and schemas.LOCAL_ID.fullmatch(local_id) else None


def _room_of(item: Any) -> str:
    room = item.get("room") if isinstance(item, dict) else None
    return room if isinstance(room, str) else ""


def _result(local_id: str | None, outcome: Sent | ChatError) -> dict[str, Any]:
    if isinstance(outcome, ChatError):
        return {"localId": local_id, "status": MessageStatus.FAILED, "problem": outcome.problem(local_id)}
    return {
        "localId": local_id,
        "status": outcome.document["status"],
        "message": outcome.document,
    }
