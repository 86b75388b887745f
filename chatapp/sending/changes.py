"""`Changes`: a sender's edits and withdrawals of their messages, and the end of those that grow."""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session as Transaction

from chatapp.errors import Forbidden
from chatapp.eventlog import Outbox
from chatapp.eventlog import growth
from chatapp.people import Identity
from chatapp.people import access
from chatapp.runtime import utc_now
from chatapp.sending.admission import Admission
from chatapp.sending.rate import Rate
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Message
from chatapp.storage import uuid7
from chatapp.wire import Content
from chatapp.wire import content
from chatapp.wire import event_types

# Changes the message, which grew until now or did not. Returns whether it is another one now.
Change = Callable[[Message, bool], bool]


class Changes:
    def __init__(self, database: Database, admission: Admission, outbox: Outbox) -> None:
        self._database = database
        self._admission = admission
        self._outbox = outbox
        # Changes are events like sends: the same numbers, counted apart.
        self._rate = Rate("change", admission.rate.burst, admission.rate.per_second)

    def edit(self, who: Identity, message_id: str, new: Mapping[str, Any]) -> Message:
        """Replace its `body`, its `data`, or both. Raises NotFound, Forbidden, RateLimited."""

        def change(message: Message, ended: bool) -> bool:
            if message.deleted_at is not None:
                raise Forbidden("The message was withdrawn.")
            before = Content(message.body, content.read(message.data))
            after = Content(new.get("body", before.body), new.get("data", before.data))
            if after.hash_in(message.room.name) == before.hash_in(message.room.name):
                return ended
            message.body, message.data, message.edited_at = after.body, content.written(after.data), utc_now()
            return True

        return self._change(who, message_id, event_types.MESSAGE_UPDATED, change)

    def withdraw(self, who: Identity, message_id: str) -> Message:
        """Take what it says away for good; the message stays as withdrawn. Raises NotFound, Forbidden, RateLimited."""

        def change(message: Message, ended: bool) -> bool:
            if message.deleted_at is not None:
                return False
            message.body, message.data, message.deleted_at = "", None, utc_now()
            return True

        return self._change(who, message_id, event_types.MESSAGE_DELETED, change)

    def finish(self, who: Identity, message_id: str, body: str | None) -> Message:
        """It grows no more: it says `body`, or what it says so far. Raises NotFound, Forbidden, RateLimited."""

        def change(message: Message, ended: bool) -> bool:
            if ended and body is not None:
                message.body = body
            return ended

        return self._change(who, message_id, event_types.MESSAGE_UPDATED, change)

    def _change(self, who: Identity, message_id: str, type_: str, change: Change) -> Message:
        self._admission.charge(self._rate, who.id)

        def work(tx: Transaction) -> tuple[Message, str | None]:
            message = access.readable_message(tx, who, message_id, lock=True)
            if message.sender_id != who.id:
                raise Forbidden("Only the sender may change a message.")
            access.writable(tx, who, message.room.name)
            if not change(message, growth.end(tx, message)):
                return message, None
            tx.add(EventRow(type=type_, room_id=message.room_id, message_id=message.id, uid=(uid := uuid7())))
            tx.flush()
            return message, uid

        message, uid = self._database.write(work)
        if uid is not None:
            self._outbox.wake()
            self._outbox.cursor_of(uid)
        return message
