"""The shapes that come in and go out. Importing it loads neither Flask nor SQLAlchemy.

`message_document`, `documents`, `shapes`, `answers` and `event_documents` (what the service says), `schemas`
and `rules` (what it takes) know the tables: ask for them by name.
"""

from chatapp.wire import codec
from chatapp.wire import content
from chatapp.wire import durable
from chatapp.wire import event_types
from chatapp.wire import sse
from chatapp.wire.content import Content
from chatapp.wire.cursor import CURSOR_PATTERN
from chatapp.wire.cursor import PACKED_MAX
from chatapp.wire.cursor import Cursor
from chatapp.wire.cursor import cursor_text
from chatapp.wire.event import Entry
from chatapp.wire.event import Event
from chatapp.wire.event import Restated
from chatapp.wire.signal import Signal

__all__ = [
    "CURSOR_PATTERN",
    "PACKED_MAX",
    "Content",
    "Cursor",
    "Entry",
    "Event",
    "Restated",
    "Signal",
    "answers",
    "codec",
    "content",
    "cursor_text",
    "documents",
    "durable",
    "event_documents",
    "event_types",
    "message_document",
    "rules",
    "schemas",
    "shapes",
    "sse",
]
