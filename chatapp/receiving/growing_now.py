"""`GrowingNow`: the messages that grow just now, as far as they are, for whoever comes in between."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.eventlog import Listener
from chatapp.eventlog import Tail
from chatapp.eventlog import growth
from chatapp.runtime import Loop
from chatapp.runtime import later
from chatapp.storage import Database
from chatapp.storage import Growth
from chatapp.storage import Message
from chatapp.wire import Event
from chatapp.wire import Signal
from chatapp.wire import event_types
from chatapp.wire import message_document

# At most 32 MB if each were as long as it may be. Of more, a client that misses something loads the message.
REPLIES_MAX = 1_000
# What a connection is given of them when it opens.
GIVEN_MAX = 256 * 1024
RELOAD_PAUSE_S = 1.0
# Of several workers one tells of an append up to so much later than another.
GAP_S = 0.15
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
        # Signals of parts that lie further on than what is known.
        self._waiting: dict[str, list[Signal]] = {}
        # Called with each signal, in its order.
        self.on_signal: list[Callable[[Signal], None]] = []
        self._loop = Loop("growing replies", self._load, interval_s=3600.0, pause_s=RELOAD_PAUSE_S)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def look_again(self) -> None:
        """Something may have been missed."""
        self._missed = True
        self._loop.wake()

    def take(self, events: Iterable[Event]) -> None:
        """The tail's news: some begin, others end."""
        for event in events:
            if event.type == event_types.MESSAGE_CREATED:
                if event.holds(MARK) and event.room_id is not None:
                    self._begin(event.room_id, event.body["message"])
            elif event.message_id is not None:
                self._end(event.message_id)
            elif event.type == event_types.ROOM_DELETED and event.target is None:
                for id_ in list(self._by_room.get(event.room_id or 0, ())):
                    self._end(id_)

    def hear(self, signal: Signal) -> None:
        """The tail has read a signal: pass it on, the parts of a message in their order.

        Several workers may have taken the appends, each gathers for itself, and one may be a moment late.
        """
        if signal.type != growth.GREW:
            self._pass_on(signal)
            return
        id_ = signal.body["messageId"]
        reply = self._replies.get(id_)
        if reply is None or signal.body["at"] <= reply.length:
            self._take_part(signal)
            self._take_waiting(id_)
            return
        if id_ not in self._waiting:
            later(GAP_S, partial(self._wait_no_more, id_))
        self._waiting.setdefault(id_, []).append(signal)

    def grows(self, message_id: str) -> bool:
        return message_id in self._replies

    def given_to(self, listener: Listener) -> list[Event]:
        """What a connection that opens is given: each message that grows in its rooms, from the beginning."""
        if not self._by_room:
            return []
        events: list[Event] = []
        size = 0
        for id_, reply in self._in_rooms_of(listener):
            if reply.length and size < GIVEN_MAX:
                said = {"room": reply.room, "messageId": id_, "at": 0, "text": reply.text}
                events.append(Event(None, growth.GREW, reply.room_id, said))
                size += len(events[-1].frame)
        return events

    def _take_part(self, signal: Signal) -> None:
        reply = self._replies.get(signal.body["messageId"])
        at, text = signal.body["at"], signal.body["text"]
        if reply is not None and at > reply.length:
            self.look_again()
        elif reply is not None and at + len(text) > reply.length:
            reply.add(text[reply.length - at :])
            self._tail.window.restate(signal.body["messageId"], reply)
        self._pass_on(signal)

    def _take_waiting(self, id_: str) -> None:
        """Those that waited for what came just now."""
        waiting = sorted(self._waiting.get(id_, ()), key=_at)
        while waiting and (id_ not in self._replies or _at(waiting[0]) <= self._replies[id_].length):
            self._take_part(waiting.pop(0))
        if waiting:
            self._waiting[id_] = waiting
        else:
            self._waiting.pop(id_, None)

    def _wait_no_more(self, id_: str) -> None:
        """What lies between does not come: whoever needs it loads it."""
        for signal in sorted(self._waiting.pop(id_, ()), key=_at):
            self._take_part(signal)

    def _pass_on(self, signal: Signal) -> None:
        for take in self.on_signal:
            take(signal)

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
        before = list(self._replies)
        try:
            found = self._database.read(_growing)
        except BaseException:
            self._missed = True
            raise
        finally:
            self._ended = None
        # Their end may be what was missed.
        for id_ in set(before) - {message.id for message in found}:
            self._end(id_)
        for message in found:
            known = self._replies.get(message.id)
            if message.id not in ended and (known is None or known.length < len(message.text)):
                reply = Reply(message.room_id, message_document.of(message))
                self._put(message.id, reply)
                self._tail.window.restate(message.id, reply)


def _at(signal: Signal) -> int:
    at: int = signal.body["at"]
    return at


def _growing(tx: Transaction) -> Sequence[Message]:
    newest = select(Growth.message_id).limit(REPLIES_MAX)
    messages = list(tx.scalars(select(Message).where(Message.id.in_(newest))))
    growth.complete(tx, messages)
    return messages
