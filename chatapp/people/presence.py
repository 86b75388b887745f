"""`Presence`: says for this worker whose connections follow which rooms, and tells the rooms who came and went."""

import json
import time
from collections import OrderedDict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from itertools import islice
from typing import Any
from typing import cast

from sqlalchemy import Table
from sqlalchemy import select

from chatapp.errors import RedisAway
from chatapp.eventlog import Hub
from chatapp.eventlog import Listener
from chatapp.eventlog import LiveLog
from chatapp.people.last_seen import LastSeen
from chatapp.people.online import LAST_LEASE_MS
from chatapp.people.online import SAID_MAX
from chatapp.people.online import Changes
from chatapp.people.online import Online
from chatapp.people.online import Round
from chatapp.people.online import Saying
from chatapp.runtime import Loop
from chatapp.runtime import Recent
from chatapp.runtime import utc_now
from chatapp.storage import Database
from chatapp.storage import Prepared
from chatapp.storage import Room
from chatapp.storage import Rows
from chatapp.storage import User
from chatapp.storage import rows_within
from chatapp.wire import Event
from chatapp.wire import Signal
from chatapp.wire import event_types

# A planned reconnect, or the pause between two polls, takes less and is never seen.
GRACE_S = 15.0
# Each worker has so much time between two rounds; what changes gathers a moment longer.
ROUND_S = 0.5
GATHER_S = 0.2
LEFT_MAX = 10_000
UNTOLD_MAX = 1_000

# User and room.
Pair = tuple[str, int]
# Leaving that is over already, whatever the session.
AT_ONCE = (float("-inf"), "")
ABSENT = object()

_ROOMS, _USERS = cast(Table, Room.__table__), cast(Table, User.__table__)


def _names(table: Table) -> Prepared:
    named = select(table.c.id, table.c.name)
    if "deleted_at" in table.c:
        named = named.where(table.c.deleted_at.is_(None))
    return Prepared.among(table.c.id, "ids", named.where)


ROOM_NAMES, USER_NAMES = _names(_ROOMS), _names(_USERS)


class Presence:
    """Looks only at users whose connections have changed. At rest a round says that the worker lives, and no more."""

    def __init__(self, hub: Hub, online: Online, last_seen: LastSeen, live_log: LiveLog, database: Database) -> None:
        self._hub = hub
        self._online = online
        self._last_seen = last_seen
        self._live_log = live_log
        self._database = database
        # Users, and the rooms in which this worker has said that they are online.
        self._said: dict[str, tuple[int, ...]] = {}
        # Whether all of that may be lost, and whose is to be said again.
        self._lost = False
        self._again: dict[str, None] = {}
        # Users whose connections have changed, and the session of the last one that did.
        self._changed: dict[str, str] = {}
        # Who follows a room no longer: until when they count as there, and the session that followed it.
        self._leaving: OrderedDict[Pair, tuple[float, str]] = OrderedDict()
        # Members who left a room a moment ago; sessions that have ended since the last round.
        self._left: Recent[Pair, None] = Recent(LEFT_MAX)
        self._signed_out: set[str] = set()
        # What could not be told, for want of the names.
        self._untold: Recent[int, Changes] = Recent(UNTOLD_MAX)
        self._loop = Loop("presence", self._round, interval_s=ROUND_S, pause_s=GATHER_S)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        """Its people have some time to come back to another worker."""
        self._loop.stop()
        with suppress(RedisAway):
            self._online.say([], LAST_LEASE_MS)

    def followed(self, listener: Listener) -> None:
        """A connection follows other rooms now, or none any more."""
        self._changed[listener.user_id] = listener.session_id
        self._loop.wake()

    def take(self, events: Sequence[Event]) -> None:
        """The tail's news: whoever leaves a room is not there at once."""
        for event in events:
            if event.about is None or event.room_id is None:
                continue
            pair = event.about, event.room_id
            if event.type == event_types.MEMBER_JOINED:
                self._left.pop(pair, None)
            elif event.room_id in self._said.get(event.about, ()):
                self._left[pair] = None
                self._changed.setdefault(event.about, "")
                self._loop.wake()

    def end_session(self, session_id: str) -> None:
        """Whoever signed out is not there at once, unless they are by another session."""
        self._signed_out.add(session_id)
        self._loop.wake()

    def say_again(self) -> None:
        """Redis, or another one in its place, may have lost something."""
        self._lost = True
        self._loop.wake()

    def _round(self) -> None:
        if self._lost:
            self._lost = False
            self._online.begin_anew()
            self._again = dict.fromkeys(self._said)
        again = self._take_again()
        changed, came = self._take_changed()
        self._end_signed_out()
        gone = dict(islice(self._over(), SAID_MAX))
        answer: Round | None = None
        try:
            answer = self._online.say([*again, *came, *(Saying("-", room, user) for user, room in gone)])
        finally:
            if answer is None:
                # Nothing of it may have been heard.
                self._again.update(dict.fromkeys(saying.user_id for saying in again))
                self._changed = {**changed, **self._changed}
        if answer is None:
            self._lost = True
        else:
            self._note(came, gone)
            self._tell(answer, gone)
        if answer is None or answer.more or self._again or self._changed:
            self._loop.wake()

    def _take_again(self) -> list[Saying]:
        again: list[Saying] = []
        for user_id in list(islice(self._again, SAID_MAX)):
            if len(again) < SAID_MAX:
                del self._again[user_id]
                again += [Saying("=", room_id, user_id) for room_id in self._said.get(user_id, ())]
        return again

    def _take_changed(self) -> tuple[dict[str, str], list[Saying]]:
        """Some users whose connections have changed, and the rooms in which they are online by that."""
        changed: dict[str, str] = {}
        came: list[Saying] = []
        for user_id in list(islice(self._changed, SAID_MAX)):
            if len(came) < SAID_MAX:
                changed[user_id] = self._changed.pop(user_id)
                came += self._compare(user_id, changed[user_id])
        return changed, came

    def _compare(self, user_id: str, session_id: str) -> Iterator[Saying]:
        """Where the user is online now and was not; from where they went, they begin to leave."""
        follows, said = self._follows(user_id), self._said.get(user_id, ())
        if self._leaving:
            for room_id in follows:
                self._leaving.pop((user_id, room_id), None)
        if follows is said:
            return
        now, before = set(follows), set(said)
        for room_id in before - now:
            if self._left.pop((user_id, room_id), ABSENT) is None or self._hub.has_ended(session_id):
                self._leave_at_once((user_id, room_id))
            else:
                self._leaving.setdefault((user_id, room_id), (time.monotonic() + GRACE_S, session_id))
        for room_id in now - before:
            yield Saying("+", room_id, user_id)

    def _follows(self, user_id: str) -> tuple[int, ...]:
        """The rooms that a user follows here as a member: of a single connection its own tuple."""
        listeners = self._hub.of_user(user_id)
        if len(listeners) == 1 and not listeners[0].visited:
            return listeners[0].rooms
        return tuple({room for one in listeners for room in one.rooms if room not in one.visited})

    def _end_signed_out(self) -> None:
        ended, self._signed_out = self._signed_out, set()
        if ended:
            for pair in [pair for pair, (_, session_id) in self._leaving.items() if session_id in ended]:
                self._leave_at_once(pair)

    def _leave_at_once(self, pair: Pair) -> None:
        self._leaving[pair] = AT_ONCE
        self._leaving.move_to_end(pair, last=False)

    def _over(self) -> Iterator[tuple[Pair, datetime]]:
        """Who is gone by now from where, and when they were last there."""
        now_s, now = time.monotonic(), utc_now()
        for pair, (ends_s, _) in self._leaving.items():
            if ends_s > now_s:
                return
            yield pair, now if ends_s == AT_ONCE[0] else now - timedelta(seconds=GRACE_S)

    def _note(self, came: Sequence[Saying], gone: Iterable[Pair]) -> None:
        """Redis has heard this."""
        more: dict[str, set[int]] = {}
        less: dict[str, set[int]] = {}
        for saying in came:
            more.setdefault(saying.user_id, set()).add(saying.room_id)
        for user_id, room_id in gone:
            self._leaving.pop((user_id, room_id), None)
            less.setdefault(user_id, set()).add(room_id)
        for user_id in more.keys() | less.keys():
            said = more.get(user_id, set()).union(self._said.get(user_id, ())) - less.get(user_id, set())
            follows = self._follows(user_id)
            if not said:
                self._said.pop(user_id, None)
            else:
                # Thousands of people: what is the same takes its place once.
                self._said[user_id] = follows if said == set(follows) else tuple(said)

    def _tell(self, answer: Round, gone: Mapping[Pair, datetime]) -> None:
        for room_id, user_id, moment in answer.gone:
            self._last_seen.note(room_id, user_id, gone.get((user_id, room_id), moment))
        for one in answer.changes:
            # Of two that were not told, nobody knows the names of all.
            self._untold[one.room_id] = replace(one, users=None) if one.room_id in self._untold else one
        changes = list(self._untold.values())
        if not changes:
            return
        rooms, users = self._database.read(lambda tx: _named(rows_within(tx), changes))
        self._live_log.signal_all(
            [
                Signal("presence", one.room_id, _body(rooms[one.room_id], one, users)).packed()
                for one in changes
                if one.room_id in rooms
            ]
        )
        self._untold.clear()


def _named(rows: Rows, changes: Sequence[Changes]) -> tuple[dict[int, str], dict[str, str]]:
    """The names of the rooms and of the users."""
    room_ids = [one.room_id for one in changes]
    user_ids = sorted({user_id for one in changes for user_id, _ in one.users or ()})
    users = rows.ask(USER_NAMES, {"ids": json.dumps(user_ids)}) if user_ids else []
    return dict(rows.ask(ROOM_NAMES, {"ids": json.dumps(room_ids)})), dict(users)


def _body(room: str, changes: Changes, users: Mapping[str, str]) -> dict[str, Any]:
    return {
        "room": room,
        "onlineCount": changes.count,
        "changes": [
            {"user": {"id": user_id, "name": users[user_id]}, "online": online}
            for user_id, online in changes.users or ()
            if user_id in users
        ],
    }
