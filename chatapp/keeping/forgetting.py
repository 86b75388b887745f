"""`forget`: takes a person out of everything that was kept, in steps: each may be repeated."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import NotFound
from chatapp.errors import RedisAway
from chatapp.eventlog import LiveLog
from chatapp.eventlog import growth
from chatapp.keeping.gone_guests import MARGIN
from chatapp.keeping.pages import pages
from chatapp.keeping.pruning import tell_workers
from chatapp.people import GUEST_RETURN
from chatapp.people import access
from chatapp.people import membership
from chatapp.runtime import utc_now
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Message
from chatapp.storage import Receipt
from chatapp.storage import Room
from chatapp.storage import Session
from chatapp.storage import User
from chatapp.storage import Visibility
from chatapp.storage import name_order
from chatapp.storage import one_of
from chatapp.wire import event_types

NAME = "Forgotten"
# Each is an event, which the service publishes beside everything else.
MESSAGES_AT_ONCE = 100
MEMBERSHIPS_AT_ONCE = 100
SESSIONS_AT_ONCE = 200
ROOMS_AT_ONCE = 500
# No content has this as its hash: a localId that was used is told from a new one, and nothing of the text is left.
NO_HASH = ""


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str


def found(tx: Transaction, user_id: str) -> Person | None:
    """The person of this id, if there is one."""
    with suppress(NotFound):
        user = tx.get(User, access.plain_id(user_id))
        return None if user is None else Person(user.id, user.name)
    return None


def messages(database: Database, user_id: str) -> Iterator[int]:
    """How many messages there are that still say something, some at a time."""
    return pages(database.read, partial(_said, user_id=user_id), "")


def forget(database: Database, live_log: LiveLog, user_id: str) -> Iterator[int]:
    """How many messages a step has withdrawn. Sessions end first, so that nothing new is said. Raises Unavailable."""
    while ended := database.write(partial(_end_sessions, user_id=user_id)):
        # As a sign-out does. While Redis is away, workers notice by themselves within 20 s.
        with suppress(RedisAway):
            live_log.signal_all([{"type": "signed_out", "session": session_id} for session_id in ended])
        yield 0
    while database.write(partial(membership.leave_some, user_ids=[user_id], most=MEMBERSHIPS_AT_ONCE)):
        yield 0
    database.write(partial(_rename, user_id=user_id))
    yield from pages(database.write, partial(_receipts, user_id=user_id), 0)
    yield from pages(database.write, partial(_withdraw, user_id=user_id), "")
    # Workers hold events that tell the name, or the text of what was withdrawn earlier.
    with suppress(RedisAway):
        tell_workers(live_log, live_log.last())


def _end_sessions(tx: Transaction, user_id: str) -> list[str]:
    """Some of those by which somebody may still come. They stay as ended ones for as long as a host's token would open
    them again."""
    over = utc_now() - GUEST_RETURN - MARGIN
    mine = Session.user_id == user_id, Session.signed_out_at.is_(None), Session.expires_at > over
    some = list(tx.scalars(select(Session.token_hash).where(*mine).limit(SESSIONS_AT_ONCE)))
    tx.execute(update(Session).where(one_of(tx, Session.token_hash, some)).values(signed_out_at=utc_now()))
    return some


def _rename(tx: Transaction, user_id: str) -> None:
    tx.execute(update(User).where(User.id == user_id).values(name=NAME, name_order=name_order(NAME)))


def _receipts(tx: Transaction, after: int, user_id: str) -> tuple[int, int | None]:
    """Those of some rooms. Of direct rooms they say nothing any more, but stay: the room is named after them."""
    # There is no index of receipts by user, and what tells of joinings may be pruned.
    rooms = dict(
        tx.execute(select(Room.id, Room.visibility).where(Room.id > after).order_by(Room.id).limit(ROOMS_AT_ONCE)).all()
    )
    direct = [room_id for room_id, visibility in rooms.items() if visibility == Visibility.DIRECT]
    others = [room_id for room_id, visibility in rooms.items() if visibility != Visibility.DIRECT]
    mine = Receipt.user_id == user_id
    tx.execute(update(Receipt).where(mine, one_of(tx, Receipt.room_id, direct)).values(delivered=0, read=None))
    tx.execute(delete(Receipt).where(mine, one_of(tx, Receipt.room_id, others)))
    return 0, max(rooms, default=None)


def _next(tx: Transaction, user_id: str, after: str) -> tuple[list[str], str | None]:
    """The next messages, and the localId of the last."""
    mine = select(Message.id, Message.local_id).where(Message.sender_id == user_id, Message.local_id > after)
    page = tx.execute(mine.order_by(Message.local_id).limit(MESSAGES_AT_ONCE)).all()
    return [id_ for id_, _ in page], page[-1][1] if page else None


def _said(tx: Transaction, after: str, user_id: str) -> tuple[int, str | None]:
    ids, last = _next(tx, user_id, after)
    left = select(func.count()).where(one_of(tx, Message.id, ids), Message.deleted_at.is_(None))
    return tx.scalar(left) or 0, last


def _withdraw(tx: Transaction, after: str, user_id: str) -> tuple[int, str | None]:
    """As the sender does it; also what was withdrawn before loses what is left of its text."""
    ids, last = _next(tx, user_id, after)
    locked = select(Message).where(one_of(tx, Message.id, ids)).order_by(Message.id).with_for_update(of=Message)
    count = 0
    for message in tx.scalars(locked).all():
        growth.end(tx, message)
        message.content_hash = NO_HASH
        if message.deleted_at is None:
            message.body, message.data, message.deleted_at = "", None, utc_now()
            tx.add(EventRow(type=event_types.MESSAGE_DELETED, room_id=message.room_id, message_id=message.id))
            count += 1
    tx.flush()
    return count, last
