"""`PlainCalls`: what a client asks once and is answered."""

from typing import Any

from chatapp.client import calls
from chatapp.client.message import Message
from chatapp.client.message import User
from chatapp.client.parts import Parts
from chatapp.client.room import Page
from chatapp.client.room import Room
from chatapp.client.threads.sending import Sending
from chatapp.client.threads.wire import Wire


class PlainCalls:
    """Each is tried again for up to 20 s. They raise Refused, Unauthenticated, Away, Closed."""

    _parts: Parts[Sending]
    _wire: Wire

    def me(self) -> User:
        """Who this is. Asks the service the first time."""
        return self._wire.run(calls.me(self._parts.session))

    def history(self, room: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> Page:
        """A page of a room: the newest, or the one beside a cursor. `limit` is 1 to 200."""
        return self._wire.run(calls.history(room, before, after, limit))

    def rooms(self, limit: int = 1_000) -> list[Room]:
        """One's own, then the public ones, each by name; so many at most."""
        return self._wire.run(calls.rooms(limit))

    def room(self, name: str) -> Room:
        return self._wire.run(calls.room(name))

    def create_room(self, name: str, title: str | None = None, *, private: bool = False) -> Room:
        """Where one's own of that name is there already, it is that one. Refused with `room_exists` for another's."""
        return self._wire.run(calls.create_room(name, title, private, self._parts.session))

    def join(self, room: str) -> None:
        self._wire.run(calls.join(room, "me"))

    def invite(self, room: str, user_id: str) -> None:
        self._wire.run(calls.join(room, user_id))

    def leave(self, room: str) -> None:
        self._wire.run(calls.leave(room, "me"))

    def direct(self, user_id: str) -> Room:
        """The room of these two, made if need be."""
        return self._wire.run(calls.direct(user_id))

    def message(self, message_id: str) -> Message:
        """As it is now, with `delivered_to` and `read_by`."""
        return self._wire.run(calls.message(message_id))

    def edit(self, message_id: str, **changes: Any) -> Message:
        """`body=…`, `data=…` or both; `data=None` takes the data away."""
        return self._wire.run(calls.edit(message_id, changes))

    def withdraw(self, message_id: str) -> Message:
        return self._wire.run(calls.withdraw(message_id))

    def typing(self, room: str, on: bool = True) -> None:
        self._wire.run(calls.typing(room, on))

    def mark_read(self, room: str, cursor: str) -> None:
        """Everything in the room up to there."""
        self._wire.run(calls.mark_read(room, cursor))
