"""Sessions that ended for good, and the guests who went with them: the contract lets a guest return for 30 days."""

from collections.abc import Iterable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import ColumnElement
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp.keeping.pages import pages
from chatapp.keeping.removed import Removed
from chatapp.people import GUEST_RETURN
from chatapp.people import membership
from chatapp.runtime import utc_now
from chatapp.storage import Database
from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import Session
from chatapp.storage import User
from chatapp.storage import name_order
from chatapp.storage import one_of

SESSIONS_AT_ONCE = 200
# Each of them is an event, which the service publishes beside everything else.
MEMBERSHIPS_AT_ONCE = 200
# No clock of two machines differs by more.
MARGIN = timedelta(days=1)
# What a guest is called of whom nothing else is left.
NAMELESS = "Guest"


class Ended(NamedTuple):
    expires_at: datetime
    token_hash: str
    user_id: str
    guest: bool


# Expiry and hash of the session before.
Place = tuple[datetime, str]
FIRST = datetime(1970, 1, 1).astimezone(), ""


def remove(database: Database, *, dry: bool) -> Iterator[Removed]:
    """Some sessions a step."""
    ended = utc_now() - GUEST_RETURN - MARGIN
    if dry:
        return pages(database.read, partial(_count, ended=ended), FIRST)
    return pages(database.write, partial(_remove, ended=ended), FIRST)


def _sessions(tx: Transaction, ended: datetime, after: Place) -> list[Ended]:
    place = tuple_(Session.expires_at, Session.token_hash)
    query = (
        select(Session.expires_at, Session.token_hash, Session.user_id, Session.guest)
        .where(place > tuple_(*after), Session.expires_at < ended)
        .order_by(Session.expires_at, Session.token_hash)
        .limit(SESSIONS_AT_ONCE)
    )
    return [Ended._make(row) for row in tx.execute(query)]


def _remove(tx: Transaction, after: Place, ended: datetime) -> tuple[Removed, Place | None]:
    found = _sessions(tx, ended, after)
    if not found:
        return Removed(), None
    guests = {one.user_id for one in found if one.guest}
    left = membership.leave_some(tx, sorted(guests), MEMBERSHIPS_AT_ONCE)
    if left:
        # There may be others: the sessions tell whose.
        return Removed(memberships=left), after
    tx.execute(delete(Session).where(one_of(tx, Session.token_hash, [one.token_hash for one in found])))
    removed = Removed(sessions=len(found), guests=take_names(tx, guests))
    return removed, found[-1][:2]


def _count(tx: Transaction, after: Place, ended: datetime) -> tuple[Removed, Place | None]:
    """Guests of whom a message is left keep their names until it goes, too."""
    found = _sessions(tx, ended, after)
    guests = sorted({one.user_id for one in found if one.guest})
    theirs = select(Membership.room_id).where(one_of(tx, Membership.user_id, guests))
    left = tx.scalar(select(func.count()).select_from(theirs.subquery())) or 0
    named = tx.scalars(select(User.id).where(*_nameable(tx, guests))).all()
    last = found[-1][:2] if found else None
    return Removed(sessions=len(found), memberships=left, guests=len(named)), last


def take_names(tx: Transaction, user_ids: Iterable[str]) -> int:
    """Those of these who are gone, and of whom no message is left, have no name any more. Returns how many."""
    gone = without_session(tx, user_ids)
    if not gone:
        return 0
    renamed = update(User).where(*_nameable(tx, gone)).values(name=NAMELESS, name_order=name_order(NAMELESS))
    return len(tx.scalars(renamed.returning(User.id)).all())


def _nameable(tx: Transaction, user_ids: list[str]) -> tuple[ColumnElement[bool], ...]:
    """Of these, whoever has a name and has left no message."""
    heard = _heard(tx, user_ids)
    return one_of(tx, User.id, [id_ for id_ in user_ids if id_ not in heard]), User.name != NAMELESS


def without_session(tx: Transaction, user_ids: Iterable[str]) -> list[str]:
    """The guests among these who never come back."""
    guests = sorted(id_ for id_ in user_ids if id_.startswith(membership.GUEST_PREFIX))
    if not guests:
        return []
    here = set(tx.scalars(select(Session.user_id).where(one_of(tx, Session.user_id, guests))))
    return [id_ for id_ in guests if id_ not in here]


def _heard(tx: Transaction, user_ids: list[str]) -> set[str]:
    """Of whom a message is left."""
    first = select(Message.id).where(Message.sender_id == User.id).limit(1).correlate(User).scalar_subquery()
    return set(tx.scalars(select(User.id).where(one_of(tx, User.id, user_ids), first.is_not(None))))
