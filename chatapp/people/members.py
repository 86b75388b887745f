"""`Members`: who belongs to a room, page by page, and who of them is there."""

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import Row
from sqlalchemy import Select
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import NotFound
from chatapp.people import access
from chatapp.people import page_place
from chatapp.people.identity import Identity
from chatapp.people.online import Online
from chatapp.storage import Database
from chatapp.storage import Membership
from chatapp.storage import User
from chatapp.storage import one_of

# So many who are there are looked up by themselves; of more, those are shown whom a walk through all members meets.
LOOKED_UP_MAX = 1_000
WALK_STEP = 1_000
# A page ends here, however few of those are there. The next one goes on.
WALK_STEPS_MAX = 5

# A member's place in the order of names.
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """`last_seen_at` is None while online, and for whoever was never there since it is kept."""

    id: str
    name: str
    name_order: str
    joined_at: datetime
    online: bool
    last_seen_at: datetime | None

    @property
    def place(self) -> Place:
        return self.name_order, self.id


Columns = tuple[str, str, str, datetime, datetime | None]


class Members:
    def __init__(self, database: Database, online: Online) -> None:
        self._database = database
        self._online = online

    def page(
        self, who: Identity, room_name: str, after: str | None, limit: int, *, online: bool
    ) -> tuple[Sequence[Member], str | None]:
        """Members by name, or those who are online, and where the next page begins; a page may have fewer than `limit`
        though there are more. Raises NotFound, and InvalidParameter for an `after` that no page gave.
        """
        last = page_place.read(after)
        room_id = self._database.read(lambda tx: access.readable(tx, who, room_name)).id
        if not online:
            found, more = self._members(room_id, last, limit)
        elif (there := self._online.all_in(room_id, LOOKED_UP_MAX)) is not None:
            found, more = self._members(room_id, last, limit, lambda tx: one_of(tx, Membership.user_id, there))
        else:
            return self._walk(room_id, last, limit)
        # Some of them may have gone by now.
        return [one for one in found if one.online or not online], _written(found[-1].place) if more else None

    def get(self, room_id: int, user_id: str) -> Member:
        """Raises NotFound."""
        found, _ = self._members(room_id, None, 1, lambda _: Membership.user_id == user_id)
        if not found:
            raise NotFound
        return found[0]

    def _walk(self, room_id: int, last: Place | None, limit: int) -> tuple[Sequence[Member], str | None]:
        """The online ones among the members behind a place."""
        there: list[Member] = []
        for _ in range(WALK_STEPS_MAX):
            found, more = self._members(room_id, last, WALK_STEP)
            there += [one for one in found if one.online]
            if len(there) > limit:
                return there[:limit], _written(there[limit - 1].place)
            if not more:
                return there, None
            last = found[-1].place
        assert last is not None
        return there, _written(last)

    def _members(
        self,
        room_id: int,
        last: Place | None,
        limit: int,
        only: Callable[[Transaction], ColumnElement[bool]] | None = None,
    ) -> tuple[list[Member], bool]:
        """Members behind a place, and whether there are more."""

        def work(tx: Transaction) -> list[Row[*Columns]]:
            query = _query(room_id, last).limit(limit + 1)
            return list(tx.execute(query if only is None else query.where(only(tx))))

        rows = self._database.read(work)
        page = rows[:limit]
        there = self._online.among(room_id, [row[0] for row in page])
        return [
            Member(id_, name, order, joined_at, id_ in there, None if id_ in there else seen_at)
            for id_, name, order, joined_at, seen_at in page
        ], len(rows) > limit


def _query(room_id: int, last: Place | None) -> Select[*Columns]:
    query = (
        select(User.id, User.name, Membership.name_order, Membership.joined_at, Membership.last_seen_at)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.room_id == room_id)
        .order_by(Membership.name_order, Membership.user_id)
    )
    return query if last is None else query.where(tuple_(Membership.name_order, Membership.user_id) > last)


def _written(place: Place) -> str:
    return page_place.written(*place)
