"""`GrowingNow`: the messages that grow just now, as far as they are, for whoever comes in between."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.eventlog import Listener
from chatapp.eventlog import Tail
from chatapp.eventlog import growth
from chatapp.runtime import Loop
from chatapp.storage import Database
from chatapp.storage import Growth
from chatapp.storage import Message
from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import Signal
from chatapp.wire import message_document

GREW = "message.grew"
# At most 32 MB if each were as long as it may be. Of more, a client that misses something loads the message.
REPLIES_MAX = 1_000
# What a connection is given of them when it opens.
GIVEN_MAX = 256 * 1024
RELOAD_PAUSE_S = 1.0
# In the data of an event that begins one; elsewhere it may stand in what a client put into `data`.
MARK = b'"growing":true'


class Reply:
    """One message that grows. Like an event, it says by `body` what there is so far."""

    __slots__ = ("_document", "_pieces", "length", "room_id")

    def __init__(self, room_id: int, document: dict[str, Any]) -> None:
        self.room_id = room_id
        self._document = document
        self._pieces: list[str] = [document["body"]]
        self.length = len(document["body"])

    @property
    def room(self) -> str:
        name: str = self._document["room"]
        return name

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    @property
    def body(self) -> dict[str, Any]:
        return {"room": self.room, "message": {**self._document, "body": self.text}}

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self.length += len(text)


class GrowingNow:
    """Follows the tail. What it has missed, it loads."""

    def __init__(self, database: Database, tail: Tail) -> None:
        self._database = database
        self._tail = tail
        self._replies: dict[str, Reply] = {}
        self._by_room: dict[int, dict[str, Reply]] = {}
        # Whether something may have been missed; and while that is loaded, those that end meanwhile.
        self._missed = True
        self._ended: set[str] | None = None
        self._loop = Loop("growing replies", self._load, interval_s=3600.0, pause_s=RELOAD_PAUSE_S)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def look_again(self) -> None:
        """Something may have been missed."""
        self._missed = True
        self._loop.wake()

    def take(self, events: Iterable[Event], before: Cursor) -> None:
        """The tail's news: some begin, others end."""
        for event in events:
            if event.type == "message.created":
                if MARK in event.data and event.room_id is not None:
                    self._begin(event.room_id, event.body["message"])
            elif event.message_id is not None:
                self._end(event.message_id)

    def hear(self, signal: Signal) -> None:
        """The tail has read a signal."""
        if signal.type != GREW:
            return
        reply, at, text = self._replies.get(signal.body["messageId"]), signal.body["at"], signal.body["text"]
        if reply is None:
            return  # It ended, or its beginning comes only now, with all that there is by then.
        if at > reply.length:
            self.look_again()
        elif at + len(text) > reply.length:
            reply.add(text[reply.length - at :])
            self._tail.window.restate(signal.body["messageId"], reply)

    def given_to(self, listener: Listener) -> list[Event]:
        """What a connection that opens is given: each message that grows in its rooms, from the beginning."""
        if not self._by_room:
            return []
        events: list[Event] = []
        size = 0
        for id_, reply in self._in_rooms_of(listener):
            if reply.length and size < GIVEN_MAX:
                said = {"room": reply.room, "messageId": id_, "at": 0, "text": reply.text}
                events.append(Event(None, GREW, reply.room_id, said))
                size += len(events[-1].frame)
        return events

    def _in_rooms_of(self, listener: Listener) -> Iterator[tuple[str, Reply]]:
        rooms = set(listener.rooms) - listener.visited
        for room_id in rooms & self._by_room.keys():
            yield from self._by_room[room_id].items()

    def _begin(self, room_id: int, document: dict[str, Any]) -> None:
        if document["growing"] and document["id"] not in self._replies:
            self._put(document["id"], Reply(room_id, document))

    def _put(self, id_: str, reply: Reply) -> None:
        self._replies[id_] = reply
        self._by_room.setdefault(reply.room_id, {})[id_] = reply
        while len(self._replies) > REPLIES_MAX:
            self._drop(next(iter(self._replies)))

    def _end(self, id_: str) -> None:
        if self._ended is not None:
            self._ended.add(id_)
        if id_ in self._replies:
            self._drop(id_)

    def _drop(self, id_: str) -> None:
        reply = self._replies.pop(id_)
        of_room = self._by_room[reply.room_id]
        del of_room[id_]
        if not of_room:
            del self._by_room[reply.room_id]

    def _load(self) -> None:
        if not self._missed:
            return
        self._missed, self._ended = False, (ended := set[str]())
        try:
            found = self._database.read(_growing)
        except BaseException:
            self._missed = True
            raise
        finally:
            self._ended = None
        for message in found:
            known = self._replies.get(message.id)
            if message.id not in ended and (known is None or known.length < len(message.text)):
                reply = Reply(message.room_id, message_document.of(message))
                self._put(message.id, reply)
                self._tail.window.restate(message.id, reply)


def _growing(tx: Transaction) -> Sequence[Message]:
    newest = select(Growth.message_id).limit(REPLIES_MAX)
    messages = list(tx.scalars(select(Message).where(Message.id.in_(newest))))
    growth.complete(tx, messages)
    return messages
