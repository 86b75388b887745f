"""Messages as a page shows them: day by day, each with its time, in UTC."""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from itertools import groupby

from markupsafe import Markup

from chatapp.people import Identity
from chatapp.runtime import timestamp
from chatapp.storage import Message
from chatapp.storage import MessageStatus
from chatapp.web.lite import text

STATES = {MessageStatus.SENT.value: "Sent", MessageStatus.DELIVERED.value: "Delivered"}
SHORT_ID = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One message. `told_apart` is a short id where two of one name write; `notes` are words, such as Sent."""

    name: str
    told_apart: str
    mine: bool
    moment: str | None
    time: str
    body: Markup | None
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Day:
    title: str
    rows: list[Row]


def days(who: Identity, messages: Sequence[Message]) -> list[Day]:
    """The messages in their order, under the days on which they were sent."""
    same = _same_names(messages)
    return [
        Day(f"{date:%A}, {date.day} {date:%B %Y}", [_row(who, one, same) for one in ones])
        for date, ones in groupby(messages, lambda one: _utc(one).date())
    ]


def _row(who: Identity, message: Message, same: set[str]) -> Row:
    sender = message.sender
    return Row(
        name=sender.name,
        told_apart=sender.id[-SHORT_ID:] if sender.name in same else "",
        mine=sender.id == who.id,
        moment=timestamp(message.created_at),
        time=f"{_utc(message):%H:%M}",
        body=None if message.deleted_at is not None else text.shown(message.text),
        notes=list(_notes(who, message)),
    )


def _notes(who: Identity, message: Message) -> Iterable[str]:
    if message.deleted_at is not None:
        return
    if message.growing:
        yield "Still being written"
    elif message.edited_at is not None:
        yield "Edited"
    if message.sender.id == who.id:
        yield STATES.get(message.status, "Sent")


def _same_names(messages: Sequence[Message]) -> set[str]:
    """Names under which more than one of these was writing."""
    ids: dict[str, set[str]] = defaultdict(set)
    for one in messages:
        ids[one.sender.name].add(one.sender.id)
    return {name for name, those in ids.items() if len(those) > 1}


def _utc(message: Message) -> datetime:
    return message.created_at.astimezone(UTC)
