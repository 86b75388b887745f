"""Who somebody is, where they belong, and what they may see."""

from chatapp.people import access
from chatapp.people import membership
from chatapp.people.deleted_rooms import DeletedRooms
from chatapp.people.host_token import looks_like_host_token
from chatapp.people.hosts import Hosts
from chatapp.people.hosts import differing
from chatapp.people.hosts import there
from chatapp.people.identity import Identity
from chatapp.people.known_rooms import KnownRooms
from chatapp.people.last_seen import LastSeen
from chatapp.people.members import Members
from chatapp.people.online import Online
from chatapp.people.page_place import PLACE_PATTERN
from chatapp.people.presence import Presence
from chatapp.people.read_receipts import ReadReceipts
from chatapp.people.room_list import RoomView
from chatapp.people.room_ref import JoinedRooms
from chatapp.people.room_ref import RoomRef
from chatapp.people.rooms import Rooms
from chatapp.people.sessions import GUEST_RETURN
from chatapp.people.sessions import Sessions
from chatapp.people.sessions import SignedIn
from chatapp.people.typing import Typing
from chatapp.people.unread import OF_MEMBERSHIP
from chatapp.people.unread import read_by

__all__ = [
    "GUEST_RETURN",
    "OF_MEMBERSHIP",
    "PLACE_PATTERN",
    "DeletedRooms",
    "Hosts",
    "Identity",
    "JoinedRooms",
    "KnownRooms",
    "LastSeen",
    "Members",
    "Online",
    "Presence",
    "ReadReceipts",
    "RoomRef",
    "RoomView",
    "Rooms",
    "Sessions",
    "SignedIn",
    "Typing",
    "access",
    "differing",
    "looks_like_host_token",
    "membership",
    "read_by",
    "there",
]
