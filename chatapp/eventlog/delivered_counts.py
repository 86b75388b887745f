"""To how many other members messages were delivered.

The receipts of a room are read once for all of its messages that are asked about: read for each of them, a page of a
room of twenty thousand took seconds.
"""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Sequence
from typing import NamedTuple
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import select

from chatapp.storage import Message
from chatapp.storage import Prepared
from chatapp.storage import Receipt
from chatapp.storage import Rows

_MESSAGES, _RECEIPTS = (cast(Table, model.__table__) for model in (Message, Receipt))

ASKED = Prepared.among(
    _MESSAGES.c.id,
    "messages",
    lambda among_these: select(_MESSAGES.c.id, _MESSAGES.c.room_id, _MESSAGES.c.sender_id, _MESSAGES.c.log_id).where(
        among_these, _MESSAGES.c.log_id.is_not(None)
    ),
)
# The receipts of a room that may cover a place between the two.
COVERING = Prepared(
    select(_RECEIPTS.c.user_id, _RECEIPTS.c.first, _RECEIPTS.c.delivered).where(
        _RECEIPTS.c.room_id == bindparam("room"),
        _RECEIPTS.c.first < bindparam("newest"),
        _RECEIPTS.c.delivered >= bindparam("oldest"),
    )
)


class _Asked(NamedTuple):
    """A message, in the order of the columns of `ASKED`."""

    id: str
    room_id: int
    sender_id: str
    place: int


class Covered(NamedTuple):
    """What one receipt covers, as a row of `COVERING`: places after the first, and up to the last."""

    user_id: str
    first: int
    last: int


def delivered_to(rows: Rows, message_ids: Sequence[str]) -> dict[str, int]:
    """How many other members each message was delivered to; absent means none."""
    if not message_ids:
        return {}
    by_room: defaultdict[int, list[_Asked]] = defaultdict(list)
    for row in rows.ask(ASKED, {"messages": json.dumps(message_ids)}):
        asked = _Asked._make(row)
        by_room[asked.room_id].append(asked)
    found = rows.ask_each(COVERING, [_between(room_id, messages) for room_id, messages in by_room.items()])
    counts: dict[str, int] = {}
    for messages, receipts in zip(by_room.values(), found, strict=True):
        counts |= _counts(messages, _without_overlap(map(Covered._make, receipts)))
    return {id_: count for id_, count in counts.items() if count}


def _between(room_id: int, messages: Sequence[_Asked]) -> dict[str, int]:
    places = [one.place for one in messages]
    return {"room": room_id, "oldest": min(places), "newest": max(places)}


def _without_overlap(receipts: Iterable[Covered]) -> list[Covered]:
    """Whoever has received a place in two memberships counts once."""
    found: list[Covered] = []
    for one in sorted(receipts):
        before = found[-1] if found else None
        if before is not None and before.user_id == one.user_id and one.first <= before.last:
            found[-1] = before._replace(last=max(before.last, one.last))
        else:
            found.append(one)
    return found


def _counts(messages: Iterable[_Asked], covered: Sequence[Covered]) -> dict[str, int]:
    firsts, lasts = sorted(one.first for one in covered), sorted(one.last for one in covered)
    own: defaultdict[str, list[Covered]] = defaultdict(list)
    for one in covered:
        own[one.user_id].append(one)
    counts = {}
    for message in messages:
        everybody = bisect_left(firsts, message.place) - bisect_left(lasts, message.place)
        sender = any(one.first < message.place <= one.last for one in own[message.sender_id])
        counts[message.id] = everybody - sender
    return counts
