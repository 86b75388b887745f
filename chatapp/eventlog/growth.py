"""The text of messages that grow: what was added stands apart until it ends."""

import json
from collections.abc import Iterable
from collections.abc import Sequence
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Table
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.storage import EventRow
from chatapp.storage import Growth
from chatapp.storage import Message
from chatapp.storage import Piece
from chatapp.storage import Prepared
from chatapp.storage import Rows
from chatapp.storage import one_of
from chatapp.storage import rows_within
from chatapp.wire import event_types

# The signal of what was added.
GREW = "message.grew"

_PIECES = cast(Table, Piece.__table__)
PIECES = Prepared.among(
    _PIECES.c.message_id,
    "messages",
    lambda among_these: (
        select(_PIECES.c.message_id, _PIECES.c.text).where(among_these).order_by(_PIECES.c.message_id, _PIECES.c.at)
    ),
)


def added(rows: Rows, message_ids: Sequence[str]) -> dict[str, str]:
    """What was added to each of these; absent means nothing."""
    if not message_ids:
        return {}
    texts: dict[str, list[str]] = {}
    for id_, text in rows.ask(PIECES, {"messages": json.dumps(message_ids)}):
        texts.setdefault(id_, []).append(text)
    return {id_: "".join(pieces) for id_, pieces in texts.items()}


def complete(tx: Transaction, messages: Iterable[Message]) -> None:
    """Let those that grow say all that they say so far. To be called before they are shown."""
    growing = [message for message in messages if message.growing]
    texts = added(rows_within(tx), [message.id for message in growing])
    for message in growing:
        message.added = texts.get(message.id, "")


def end(tx: Transaction, message: Message) -> bool:
    """The message, which is locked, grows no more, and says what it says so far. Returns whether it grew."""
    if not message.growing:
        return False
    _lock(tx, [message.id])
    message.body += added(rows_within(tx), [message.id]).get(message.id, "")
    message.growing = False
    _remove(tx, [message.id])
    return True


def any_of(tx: Transaction, *which: ColumnElement[bool]) -> bool:
    """Whether one of those that grow is so."""
    return tx.scalar(select(Growth.message_id).where(*which).limit(1)) is not None


def end_those(tx: Transaction, *which: ColumnElement[bool], most: int) -> int:
    """End those that grow of which this is true, as they stand. Returns how many ended."""
    ids = list(tx.scalars(select(Growth.message_id).where(*which).limit(most)))
    if not ids:
        return 0
    ended = 0
    query = select(Message).where(one_of(tx, Message.id, ids)).order_by(Message.id)
    for message in tx.scalars(query.with_for_update(of=Message)).all():
        # Perhaps it went on, or ended, in between.
        if tx.scalar(select(Growth.message_id).where(Growth.message_id == message.id, *which)) and end(tx, message):
            tx.add(EventRow(type=event_types.MESSAGE_UPDATED, room_id=message.room_id, message_id=message.id))
            ended += 1
    tx.flush()
    return ended


def forget(tx: Transaction, message_ids: Sequence[str]) -> None:
    """These grow no more, and nothing of it is left but what they say themselves."""
    _lock(tx, message_ids)
    _remove(tx, message_ids)


def _remove(tx: Transaction, message_ids: Sequence[str]) -> None:
    tx.execute(delete(Piece).where(one_of(tx, Piece.message_id, message_ids)))
    tx.execute(delete(Growth).where(one_of(tx, Growth.message_id, message_ids)))


def _lock(tx: Transaction, message_ids: Sequence[str]) -> None:
    """Whoever appends to one of these just now holds it; from here on nobody does."""
    growths = select(Growth.message_id).where(one_of(tx, Growth.message_id, message_ids))
    tx.execute(growths.order_by(Growth.message_id).with_for_update()).all()
