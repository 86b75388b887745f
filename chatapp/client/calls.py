"""The plain calls of the contract, each a flow: what is asked, and what comes back."""

from typing import Any
from urllib.parse import quote

from chatapp.client.asking import ask
from chatapp.client.asking import nothing
from chatapp.client.errors import Refused
from chatapp.client.message import Message
from chatapp.client.message import User
from chatapp.client.room import Page
from chatapp.client.room import Room
from chatapp.client.session import Session
from chatapp.client.step import Call
from chatapp.client.step import Flow


def me(session: Session) -> Flow[User]:
    """Known once the session was opened here: the file may tell of a guest whose session is over."""
    if session.user is None or not session.is_open:
        yield from ask(Call("GET", "session"), nothing)
    assert session.user is not None
    return session.user


def history(room: str, before: str | None, after: str | None, limit: int) -> Flow[Page]:
    query = {name: value for name, value in (("before", before), ("after", after)) if value is not None}
    call = Call("GET", f"{_room(room)}/messages", query={**query, "limit": str(limit)})
    return (yield from ask(call, Page.of))


def rooms(limit: int) -> Flow[list[Room]]:
    """Page by page: one's own, then the public ones."""
    found: list[Room] = []
    query: dict[str, str] = {}
    while True:
        some, after = yield from ask(Call("GET", "rooms", query=query), _some_rooms)
        found += some
        if after is None or len(found) >= limit:
            return found[:limit]
        query = {"after": after}


def _some_rooms(document: dict[str, Any]) -> tuple[list[Room], str | None]:
    return [Room.of(one) for one in document["rooms"]], document["after"]


def room(name: str) -> Flow[Room]:
    return (yield from ask(Call("GET", _room(name)), Room.of))


def create_room(name: str, title: str | None, private: bool, session: Session) -> Flow[Room]:
    """An answer that was lost must not look like another's room: it is the asker's own by then."""
    body = {"name": name, "visibility": "private" if private else "public"}
    call = Call("POST", "rooms", body if title is None else {**body, "title": title})
    try:
        return (yield from ask(call, Room.of))
    except Refused as refusal:
        if refusal.code != "room_exists":
            raise
        return (yield from _own(name, session, refusal))


def _own(name: str, session: Session, refusal: Refused) -> Flow[Room]:
    try:
        found = yield from room(name)
    except Refused:
        raise refusal from None
    if found.owner != (yield from me(session)).id:
        raise refusal
    return found


def join(room: str, user: str) -> Flow[User]:
    return (yield from ask(Call("PUT", f"{_room(room)}/members/{quote(user, safe='')}"), User.of))


def leave(room: str, user: str) -> Flow[None]:
    yield from ask(Call("DELETE", f"{_room(room)}/members/{quote(user, safe='')}"), nothing)


def direct(user: str) -> Flow[Room]:
    return (yield from ask(Call("PUT", f"direct/{quote(user, safe='')}"), Room.of))


def message(id_: str) -> Flow[Message]:
    return (yield from ask(Call("GET", _message(id_)), Message.of))


def edit(id_: str, changes: dict[str, Any]) -> Flow[Message]:
    return (yield from ask(Call("PATCH", _message(id_), changes), Message.of))


def withdraw(id_: str) -> Flow[Message]:
    return (yield from ask(Call("DELETE", _message(id_)), Message.of))


def typing(room: str, on: bool) -> Flow[None]:
    yield from ask(Call("POST", f"{_room(room)}/typing", {"typing": on}), nothing)


def mark_read(room: str, cursor: str) -> Flow[None]:
    yield from ask(Call("POST", f"{_room(room)}/read", {"cursor": cursor}), nothing)


def _room(name: str) -> str:
    return f"rooms/{quote(name, safe='')}"


def _message(id_: str) -> str:
    return f"messages/{quote(id_, safe='')}"
