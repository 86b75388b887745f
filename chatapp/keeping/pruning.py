"""`prune`: one round of pruning, in steps: each a short transaction, after which everything is as it should be.

Steps may be left out, repeated and done by two processes at once: each finds by itself what is still to do.
"""

from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import RedisAway
from chatapp.eventlog import LiveLog
from chatapp.keeping import gone_guests
from chatapp.keeping import old_messages
from chatapp.keeping import old_moves
from chatapp.keeping import old_receipts
from chatapp.keeping.removed import Removed
from chatapp.runtime import now_ms
from chatapp.storage import Database
from chatapp.storage import Incarnation
from chatapp.wire import Cursor

# The signal by which workers forget what may be pruned, or was said by somebody who is forgotten.
PRUNED = "pruned"
DAY_S = 86_400


def until(age_s: float) -> Cursor:
    """The place in the log of what is so old."""
    return Cursor.at(max(0, now_ms() - int(age_s * 1000)))


def prune(database: Database, before: Cursor | None, *, dry: bool = False) -> Iterator[Removed]:
    """What a step removed, or would remove, step by step. Without `before` only what has ended goes, whoever said
    what. Raises Unavailable."""
    yield from gone_guests.remove(database, dry=dry)
    if before is not None:
        if not dry:
            database.write(lambda tx: _note(tx, before))
        yield from old_messages.remove(database, before, dry=dry)
        yield from old_moves.remove(database, before, dry=dry)
        yield from old_receipts.remove(database, before, dry=dry)


def _note(tx: Transaction, before: Cursor) -> None:
    """What is missing before this place is not lost."""
    newest = select(func.max(Incarnation.number)).scalar_subquery()
    earlier = Incarnation.pruned_until.is_(None) | (Incarnation.pruned_until < before.packed)
    tx.execute(update(Incarnation).where(Incarnation.number == newest, earlier).values(pruned_until=before.packed))


def tell_workers(live_log: LiveLog, before: Cursor) -> None:
    """Their windows hold what is gone from the database. While Redis is away, until it is pushed out by what is new."""
    with suppress(RedisAway):
        live_log.signal({"type": PRUNED, "until": str(before)})
