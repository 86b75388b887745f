"""`AsyncPlainCalls`: what a client asks once and is answered."""

from typing import Any

from chatapp.client import calls
from chatapp.client.aio.sending import AsyncSending
from chatapp.client.aio.wire import AsyncWire
from chatapp.client.message import Message
from chatapp.client.message import User
from chatapp.client.parts import Parts
from chatapp.client.room import Page
from chatapp.client.room import Room


class AsyncPlainCalls:
    """Each is tried again for up to 20 s. They raise Refused, Unauthenticated, Away, Closed."""

    _parts: Parts[AsyncSending]
    _wire: AsyncWire

    async def me(self) -> User:
        """Who this is. Asks the service the first time."""
        return await self._wire.run(calls.me(self._parts.session))

    async def history(self, room: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> Page:
        """A page of a room: the newest, or the one beside a cursor. `limit` is 1 to 200."""
        return await self._wire.run(calls.history(room, before, after, limit))

    async def rooms(self, limit: int = 1_000) -> list[Room]:
        """One's own, then the public ones, each by name; so many at most."""
        return await self._wire.run(calls.rooms(limit))

    async def room(self, name: str) -> Room:
        return await self._wire.run(calls.room(name))

    async def create_room(self, name: str, title: str | None = None, *, private: bool = False) -> Room:
        """Where one's own of that name is there already, it is that one. Refused with `room_exists` for another's."""
        return await self._wire.run(calls.create_room(name, title, private, self._parts.session))

    async def join(self, room: str) -> None:
        await self._wire.run(calls.join(room, "me"))

    async def invite(self, room: str, user_id: str) -> None:
        await self._wire.run(calls.join(room, user_id))

    async def leave(self, room: str) -> None:
        await self._wire.run(calls.leave(room, "me"))

    async def direct(self, user_id: str) -> Room:
        """The room of these two, made if need be."""
        return await self._wire.run(calls.direct(user_id))

    async def message(self, message_id: str) -> Message:
        """As it is now, with `delivered_to` and `read_by`."""
        return await self._wire.run(calls.message(message_id))

    async def edit(self, message_id: str, **changes: Any) -> Message:
        """`body=…`, `data=…` or both; `data=None` takes the data away."""
        return await self._wire.run(calls.edit(message_id, changes))

    async def withdraw(self, message_id: str) -> Message:
        return await self._wire.run(calls.withdraw(message_id))

    async def typing(self, room: str, on: bool = True) -> None:
        await self._wire.run(calls.typing(room, on))

    async def mark_read(self, room: str, cursor: str) -> None:
        """Everything in the room up to there."""
        await self._wire.run(calls.mark_read(room, cursor))
