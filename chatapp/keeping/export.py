"""A room as documents: what its history shows, from the first message on, a page at a time."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy.orm import Session as Transaction

from chatapp.keeping.pages import pages
from chatapp.receiving import history
from chatapp.storage import Database
from chatapp.storage import Message
from chatapp.wire import PACKED_MAX
from chatapp.wire import Cursor
from chatapp.wire import message_document

MESSAGES_AT_ONCE = 500
# What waits to be published comes as one last page: seldom more than a handful.
WAITING_MAX = 5_000
# Behind all that has a place.
END = Cursor(PACKED_MAX)

Document = dict[str, Any]


class ManyWaiting(Exception):
    """More waits to be published than can be told in its order. The text is one line that says so."""


def documents(database: Database, room_id: int) -> Iterator[list[Document]]:
    """Pages of messages as the wire shows them. What comes in meanwhile is among them.

    Raises Unavailable, ManyWaiting.
    """
    return pages(database.read, partial(_page, room_id=room_id), 0)


def _page(tx: Transaction, after: int, room_id: int) -> tuple[list[Document], int | None]:
    """A page, and where the next one begins. What is not published yet stands at the end: it is read together with the
    last that is, so that none is published in between."""
    page = history.page(tx, room_id, END, Cursor(after), MESSAGES_AT_ONCE)
    if page.has_more:
        return _documents(page.messages), page.messages[-1].log_id
    waiting = history.unpublished(tx, room_id, WAITING_MAX + 1)
    if len(waiting) > WAITING_MAX:
        raise ManyWaiting(f"more than {WAITING_MAX:,} messages of the room wait to be published: is Redis away?")
    return _documents([*page.messages, *waiting]), None


def _documents(messages: list[Message]) -> list[Document]:
    return [message_document.of(message) for message in messages]
