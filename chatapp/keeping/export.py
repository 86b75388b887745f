"""A room as documents: what its history shows, from the first message on, a page at a time."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session as Transaction

from chatapp.receiving import history
from chatapp.storage import Database
from chatapp.wire import Cursor
from chatapp.wire import message_document

MESSAGES_AT_ONCE = 500

Document = dict[str, Any]


def documents(database: Database, room_id: int) -> Iterator[list[Document]]:
    """Pages of messages as the wire shows them. What comes in meanwhile is among them. Raises Unavailable."""
    after: int | None = 0
    while after is not None:
        place = Cursor(after)
        page, after = database.read(lambda tx, place=place: _page(tx, room_id, place))  # type: ignore[misc]
        yield page


def _page(tx: Transaction, room_id: int, after: Cursor) -> tuple[list[Document], int | None]:
    """A page, and where the next one begins. What is not published yet stands at the end."""
    page = history.page(tx, room_id, None, after, MESSAGES_AT_ONCE)
    last = page.messages[-1].log_id if page.has_more else None
    return [message_document.of(message) for message in page.messages], last
