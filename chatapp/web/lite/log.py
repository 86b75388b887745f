"""A room's messages: a page of fifty, which loads itself again every quarter of a minute while it shows the newest."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from flask import Response
from flask import g
from flask import request

from chatapp.errors import ChatError
from chatapp.errors import Forbidden
from chatapp.errors import NotFound
from chatapp.errors import RateLimited
from chatapp.errors import Unauthenticated
from chatapp.errors import Unavailable
from chatapp.people import Identity
from chatapp.people import RoomView
from chatapp.people import access
from chatapp.receiving import history
from chatapp.runtime import now_ms
from chatapp.runtime import utc_now
from chatapp.web.api.inputs import Query
from chatapp.web.api.messages import MESSAGES_PER_UNIT
from chatapp.web.api.rooms import READ_UNITS
from chatapp.web.current import services
from chatapp.web.deadline import in_time
from chatapp.web.lite import visitor
from chatapp.web.lite import words
from chatapp.web.lite.days import Day
from chatapp.web.lite.days import days
from chatapp.web.lite.page import IN_A_FRAME
from chatapp.web.lite.page import blueprint
from chatapp.web.lite.page import go_to
from chatapp.web.lite.page import page
from chatapp.web.lite.page import seconds
from chatapp.wire import Cursor

MESSAGES = 50
REFRESH_S = 15


@dataclass(frozen=True, slots=True)
class Log:
    """What a page of a room shows, and from where the pages beside it begin.

    `oldest`: nothing was said before it; `newest`: nothing after it.
    """

    room: RoomView
    days: list[Day]
    before: str | None
    after: str | None
    oldest: bool
    newest: bool
    loaded_at: datetime

    @property
    def number(self) -> int:
        """Another one for each page: without it a link to the newest message of this page would load nothing."""
        return int(self.loaded_at.timestamp() * 1000)


@blueprint.get("/<room>/log")
@in_time
def log(room: str) -> Response:
    g.refused = lambda error: _refused(room, error)
    who = visitor.reader()
    shown = read(who, room)
    paused = "paused" in request.args
    refresh_s = REFRESH_S if shown.newest and not paused else None
    return page("log", csp=IN_A_FRAME, who=who, log=shown, refresh_s=refresh_s, paused=paused)


@blueprint.get("/<room>/newest")
def newest(room: str) -> Response:
    """From outside of the frame to its newest message. A link to the address that a frame is at already, with an anchor
    behind it, would load nothing."""
    return go_to("log", anchor="newest", room=room, _=now_ms())


def read(who: Identity, name: str) -> Log:
    """The page of the room that the address asks for. Whoever sees it has received and read it.

    Raises NotFound, InvalidCursor, Unavailable.
    """
    query = Query(request.environ)
    before, after = query.cursor("before"), query.cursor("after")
    parts = services()
    # What it may cost, until it is known what it does.
    parts.read_rate.add(who.id, 1 + MESSAGES / MESSAGES_PER_UNIT)
    room = parts.rooms.get(who, name)
    found = parts.database.read(lambda tx: history.page(tx, access.readable(tx, who, name).id, before, after, MESSAGES))
    parts.read_rate.add(who.id, (len(found.messages) - MESSAGES) / MESSAGES_PER_UNIT)
    if room.member and request.method == "GET":
        _seen(who, room, found)
    # On the side from which the page was come to there is something, or was.
    oldest = after is None and not found.has_more
    newest = not found.has_more if after is not None else before is None
    return Log(
        room=room,
        days=days(who, found.messages),
        before=None if oldest else found.before,
        after=None if newest else found.after,
        oldest=oldest,
        newest=newest,
        loaded_at=utc_now(),
    )


def _seen(who: Identity, room: RoomView, shown: history.Page) -> None:
    """What `POST /rooms/{room}/read` does, up to the newest that is shown; a second time it costs nothing.

    The page is shown also where that cannot be written just now: the next one does it.
    """
    cursor = Cursor(max((one.log_id or 0 for one in shown.messages), default=0))
    if not cursor:
        return
    parts = services()
    with suppress(Forbidden, NotFound, Unavailable):
        if cursor > (room.read_cursor or 0):
            parts.read_rate.add(who.id, READ_UNITS)
            parts.read_receipts.move(who, room.name, cursor)
        mine = parts.known_rooms.memberships(who, cursor)
        parts.receipts.ack(who.id, [one for one in mine.joinings() if one[0] == room.id], cursor)


def _refused(room: str, error: ChatError) -> Response:
    """Within its frame too: where waiting helps, the log comes back by itself."""
    waits = isinstance(error, RateLimited | Unavailable)
    refresh_s = max(REFRESH_S, seconds(error.retry_after_s or 0)) if waits else None
    signed_out = isinstance(error, Unauthenticated)
    said = words.of_page(error)
    return page("log_error", error, IN_A_FRAME, room=room, said=said, refresh_s=refresh_s, signed_out=signed_out)
