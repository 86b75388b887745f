"""`RoomRef`: a room, as far as it decides what one user may do there, and `JoinedRooms`, those of one user."""

from array import array
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from chatapp.people.identity import Identity
from chatapp.storage import Visibility


@dataclass(frozen=True, slots=True)
class RoomRef:
    id: int
    name: str
    visibility: str
    member: bool
    owner_id: str | None

    @property
    def public(self) -> bool:
        return self.visibility == Visibility.PUBLIC

    @property
    def readable(self) -> bool:
        """Whether the user may read it: it is public, or theirs. Within a claim, see `Identity.knows`."""
        return self.public or self.member


class JoinedRooms:
    """The rooms that a user belongs to, by name, each with the number of the joining that began the membership.

    Thousands of users are remembered, so the numbers are kept without an object for each.
    """

    __slots__ = ("numbers", "rooms")

    def __init__(self, rooms: Iterable[RoomRef] = (), joinings: Iterable[int] = ()) -> None:
        self.rooms = tuple(rooms)
        self.numbers = array("q", joinings)

    def within_claim(self, identity: Identity) -> "JoinedRooms":
        """Those that exist for this identity; if that is all of them, this same object."""
        if identity.rooms is None:
            return self
        known = [(room, joining) for room, joining in self._pairs() if identity.knows(room.name)]
        return JoinedRooms([room for room, _ in known], [joining for _, joining in known])

    def joinings(self, rooms: tuple[RoomRef, ...] | None = None) -> list[tuple[int, int]]:
        """Room and joining of each of them, or of those among `rooms`."""
        if rooms is None or rooms is self.rooms:
            return [(room.id, joining) for room, joining in self._pairs()]
        ids = {room.id for room in rooms}
        return [(room.id, joining) for room, joining in self._pairs() if room.id in ids]

    def _pairs(self) -> Iterator[tuple[RoomRef, int]]:
        return zip(self.rooms, self.numbers, strict=True)
