"""The plain calls of the contract, each a flow: what is asked, and what comes back."""

from typing import Any
from urllib.parse import quote

from chatapp.client.asking import ask
from chatapp.client.errors import Refused
from chatapp.client.message import Message
from chatapp.client.message import User
from chatapp.client.room import Page
from chatapp.client.room import Room
from chatapp.client.session import Session
from chatapp.client.step import Call
from chatapp.client.step import Flow


def me(session: Session) -> Flow[User]:
    """Known from the file, or asked for once."""
    if session.user is None:
        yield from ask(Call("GET", "session"))
    assert session.user is not None
    return session.user


def history(room: str, before: str | None, after: str | None, limit: int) -> Flow[Page]:
    query = {name: value for name, value in (("before", before), ("after", after)) if value is not None}
    document = yield from ask(Call("GET", f"{_room(room)}/messages", query={**query, "limit": str(limit)}))
    return Page.of(document)


def rooms(limit: int) -> Flow[list[Room]]:
    """Page by page: one's own, then the public ones."""
    found: list[Room] = []
    query: dict[str, str] = {}
    while True:
        document = yield from ask(Call("GET", "rooms", query=query))
        found += [Room.of(one) for one in document["rooms"]]
        if document["after"] is None or len(found) >= limit:
            return found[:limit]
        query = {"after": document["after"]}


def room(name: str) -> Flow[Room]:
    return Room.of((yield from ask(Call("GET", _room(name)))))


def create_room(name: str, title: str | None, private: bool, session: Session) -> Flow[Room]:
    """An answer that was lost must not look like another's room: it is the asker's own by then."""
    body = {"name": name, "visibility": "private" if private else "public"}
    call = Call("POST", "rooms", body if title is None else {**body, "title": title})
    try:
        return Room.of((yield from ask(call)))
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
    return User.of((yield from ask(Call("PUT", f"{_room(room)}/members/{quote(user, safe='')}"))))


def leave(room: str, user: str) -> Flow[None]:
    yield from ask(Call("DELETE", f"{_room(room)}/members/{quote(user, safe='')}"))


def direct(user: str) -> Flow[Room]:
    return Room.of((yield from ask(Call("PUT", f"direct/{quote(user, safe='')}"))))


def message(id_: str) -> Flow[Message]:
    return Message.of((yield from ask(Call("GET", _message(id_)))))


def edit(id_: str, changes: dict[str, Any]) -> Flow[Message]:
    return Message.of((yield from ask(Call("PATCH", _message(id_), changes))))


def withdraw(id_: str) -> Flow[Message]:
    return Message.of((yield from ask(Call("DELETE", _message(id_)))))


def typing(room: str, on: bool) -> Flow[None]:
    yield from ask(Call("POST", f"{_room(room)}/typing", {"typing": on}))


def mark_read(room: str, cursor: str) -> Flow[None]:
    yield from ask(Call("POST", f"{_room(room)}/read", {"cursor": cursor}))


def _room(name: str) -> str:
    return f"rooms/{quote(name, safe='')}"


def _message(id_: str) -> str:
    return f"messages/{quote(id_, safe='')}"
