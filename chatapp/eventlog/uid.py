"""What a row of `events` is, whichever database it stands in.

Its number is not that: where a backup is restored, or a standby that lagged behind is promoted, other rows get the same
numbers again. Redis and the workers remember what was published, and would take them for the rows of before.
"""

from sqlalchemy import ColumnElement
from sqlalchemy import FromClause
from sqlalchemy import String
from sqlalchemy import case
from sqlalchemy import cast
from sqlalchemy import func

from chatapp.wire import event_types


def uid(events: FromClause) -> ColumnElement[str]:
    """The UUID of a row: its message's, which is created once, or its own. A row that a version before this one wrote
    has only its number."""
    own = func.coalesce(events.c.uid, cast(events.c.number, String))
    return case((events.c.type == event_types.MESSAGE_CREATED, events.c.message_id), else_=own)
