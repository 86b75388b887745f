"""`Messaging`: send one message, once, and say what became of it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp import metrics
from chatapp.errors import ChatError
from chatapp.errors import LocalIdReused
from chatapp.errors import NotFound
from chatapp.errors import RateLimited
from chatapp.errors import Unavailable
from chatapp.eventlog import CURSOR_WAIT_S
from chatapp.eventlog import Outbox
from chatapp.eventlog import delivered_to
from chatapp.eventlog import growth
from chatapp.people import Identity
from chatapp.people import KnownRooms
from chatapp.people import RoomRef
from chatapp.people import access
from chatapp.people import read_by
from chatapp.sending.admission import Admission
from chatapp.sending.committer import Committed
from chatapp.sending.committer import Committer
from chatapp.sending.committer import Draft
from chatapp.sending.committer import NotMember
from chatapp.sending.rate import Ruling
from chatapp.sending.rate import Verdict
from chatapp.storage import Database
from chatapp.storage import Message
from chatapp.storage import MessageStatus
from chatapp.storage import one_of
from chatapp.storage import rows_within
from chatapp.wire import Content
from chatapp.wire import cursor_text
from chatapp.wire import message_document
from chatapp.wire import schemas

# A copy waits this long for the one in flight, then goes to the database, which judges anyway.
CLAIM_WAIT_S = 2.0
CLAIM_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Sent:
    """What stands in the database, new or accepted before, and what is left of the rate."""

    committed: Committed
    ruling: Ruling

    @property
    def document(self) -> dict[str, Any]:
        """The message as the wire shows it."""
        return self.committed.document

    @property
    def replayed(self) -> bool:
        return not self.committed.new


class Messaging:
    def __init__(
        self,
        database: Database,
        known_rooms: KnownRooms,
        admission: Admission,
        committer: Committer,
        outbox: Outbox,
    ) -> None:
        self._database = database
        self._known_rooms = known_rooms
        self._admission = admission
        self._committer = committer
        self._outbox = outbox

    def send(self, who: Identity, room: str, local_id: str, content: Content) -> Sent:
        """Store one message, once. The answer has its cursor if that comes within CURSOR_WAIT_S.

        Raises NotFound, Forbidden, LocalIdReused, RateLimited, Unavailable.
        """
        begun_s = time.monotonic()
        sent = self.store(who, room, local_id, content)
        self.await_cursors([sent])
        metrics.send_seconds.observe(time.monotonic() - begun_s)
        return sent

    def store(self, who: Identity, room: str, local_id: str, content: Content) -> Sent:
        """Like `send`, without its cursor."""
        return _counted(self._store(who, room, local_id, content))

    def _store(self, who: Identity, room_name: str, local_id: str, content: Content) -> Sent:
        room = self._writable(who, room_name)
        ruling = self._admit(who, local_id)
        if ruling.verdict in (Verdict.KNOWN, Verdict.LIMITED):
            # Redis forgets, and a repeat of what was accepted is never refused.
            known = self._find(who, local_id)
            if known is not None:
                return self._replay(who, known, room.name, content, ruling)
        if ruling.verdict is Verdict.LIMITED:
            raise ruling.refusal(with_fields=True)
        try:
            committed = self._committer.commit(
                Draft(room.id, room.name, who.id, who.name, who.session_id, local_id, content)
            )
        except NotMember:
            self._give_back(who, local_id, ruling)
            self._database.read(lambda tx: access.writable(tx, who, room_name))
            raise Unavailable("The membership changed just now.") from None
        except BaseException:
            # Also when the request's time is over: its Timeout is not an Exception.
            self._give_back(who, local_id, ruling)
            raise
        if not committed.new:
            self._give_back(who, local_id, ruling)
            return self._replay(who, committed, room.name, content, ruling)
        return Sent(committed, ruling)

    def accepted(self, who: Identity, room: str, local_id: str, content: Content) -> Sent | None:
        """What `store` would answer if this was accepted before; otherwise None, and nothing is stored."""
        known = self._find(who, local_id)
        if known is None:
            return None
        self._database.read(lambda tx: access.writable(tx, who, room))
        return _counted(self._replay(who, known, room, content, self._admission.peek(who.id)))

    def await_cursors(self, sent: Iterable[Sent]) -> None:
        """Complete the documents of these, as far as their cursors come within CURSOR_WAIT_S."""
        deadline_s = time.monotonic() + CURSOR_WAIT_S
        for committed in (one.committed for one in sent):
            if committed.new:
                cursor = self._outbox.cursor_of(committed.document["id"], deadline_s - time.monotonic())
                committed.document["cursor"] = cursor_text(cursor)

    def refuse(self, who: Identity, local_id: Any, error: ChatError) -> tuple[ChatError, Ruling | None]:
        """A send is refused: charge it, and remember it for `GET messages/status`.

        Returns the error to answer, which is RateLimited when nothing is left to charge, and what is left of the rate
        if that was asked. An open outcome is not a refusal.
        """
        refused, ruling = self._refuse(who, local_id, error)
        metrics.sends.labels(refused.code).inc()
        return refused, ruling

    def _refuse(self, who: Identity, local_id: Any, error: ChatError) -> tuple[ChatError, Ruling | None]:
        if isinstance(error, Unavailable):
            return error, None
        ruling = None
        if not isinstance(error, RateLimited):
            ruling = self._admission.charge_refused(who.id)
            if ruling.verdict is Verdict.LIMITED:
                error = ruling.refusal(with_fields=True)
        if isinstance(local_id, str) and schemas.LOCAL_ID.fullmatch(local_id) and not isinstance(error, LocalIdReused):
            self._admission.refused(who.id, local_id, error)
        return error, ruling

    def status(self, who: Identity, local_ids: list[str]) -> list[dict[str, Any]]:
        """What became of these localIds of the identity, in their order."""
        # Redis first: what leaves it in between is in the database by then.
        others = self._admission.in_flight_or_failed(who.id, local_ids)
        stored = self._database.read(lambda tx: _stored(tx, who, local_ids))
        return [_status(local_id, stored.get(local_id), others) for local_id in local_ids]

    def get(self, who: Identity, message_id: str) -> tuple[Message, int, int]:
        """A message, how many other members it was delivered to, and how many have read it. Raises NotFound."""

        def work(tx: Transaction) -> tuple[Message, int, int]:
            message = access.readable_message(tx, who, message_id)
            growth.complete(tx, [message])
            rows = rows_within(tx)
            return (
                message,
                delivered_to(rows, [message.id]).get(message.id, 0),
                read_by(rows, message.room_id, message.sender_id, message.log_id),
            )

        return self._database.read(work)

    def _writable(self, who: Identity, room_name: str) -> RoomRef:
        """The room, as far as is remembered: the commit looks again. Raises NotFound, Forbidden."""
        room = self._known_rooms.membership(who, room_name)
        return room or self._database.read(lambda tx: access.writable(tx, who, room_name))

    def _admit(self, who: Identity, local_id: str) -> Ruling:
        deadline_s = time.monotonic() + CLAIM_WAIT_S
        while True:
            ruling = self._admission.admit(who.id, local_id)
            if ruling.verdict is not Verdict.IN_FLIGHT or time.monotonic() > deadline_s:
                return ruling
            time.sleep(CLAIM_POLL_S)

    def _give_back(self, who: Identity, local_id: str, ruling: Ruling) -> None:
        if ruling.verdict is Verdict.ADMITTED:
            self._admission.release(who.id, local_id)
            self._admission.refund(who.id)

    def _find(self, who: Identity, local_id: str) -> Committed | None:
        query = select(Message).where(Message.sender_id == who.id, Message.local_id == local_id)

        def work(tx: Transaction) -> Committed | None:
            message = tx.scalar(query)
            if message is None:
                return None
            growth.complete(tx, [message])
            return Committed.before(message)

        return self._database.read(work)

    def _replay(self, who: Identity, known: Committed, room: str, content: Content, ruling: Ruling) -> Sent:
        if known.content_hash == content.hash_in(room):
            return Sent(known, ruling)
        try:
            self._database.read(lambda tx: access.readable_by_id(tx, who, known.room_id))
        except NotFound:
            raise LocalIdReused from None
        raise LocalIdReused(message=known.document)


def _counted(sent: Sent) -> Sent:
    (metrics.replayed if sent.replayed else metrics.created).inc()
    return sent


def _stored(tx: Transaction, who: Identity, local_ids: list[str]) -> dict[str, tuple[Message, bool]]:
    """The identity's messages by localId, and whether it may still read their room."""
    query = select(Message).where(Message.sender_id == who.id, one_of(tx, Message.local_id, local_ids))
    messages = list(tx.scalars(query))
    growth.complete(tx, messages)
    readable = {room.name for room in access.among(tx, who, frozenset(one.room.name for one in messages))}
    return {one.local_id: (one, one.room.name in readable) for one in messages}


def _status(
    local_id: str, stored: tuple[Message, bool] | None, others: dict[str, dict[str, Any] | None]
) -> dict[str, Any]:
    if stored is not None:
        message, readable = stored
        if not readable:
            return {"localId": local_id, "status": message.status}
        return {"localId": local_id, "status": message.status, "message": message_document.of(message)}
    if local_id not in others:
        return {"localId": local_id, "status": MessageStatus.UNKNOWN}
    problem = others[local_id]
    if problem is None:
        return {"localId": local_id, "status": MessageStatus.SENDING}
    return {"localId": local_id, "status": MessageStatus.FAILED, "problem": problem}
