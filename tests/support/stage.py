"""`Stage`: the service's own parts on a real Redis and SQLite, moved by hand instead of by their loops.

Nothing runs in the background, so a test says what happens when, and waits for nothing.
"""

from collections.abc import Callable
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy import text

from chatapp.config import Config
from chatapp.errors import RedisAway
from chatapp.people import Identity
from chatapp.receiving import Reader
from chatapp.receiving import Wanted
from chatapp.sending.committer import BATCH_MAX
from chatapp.sending.committer import Committed
from chatapp.sending.committer import Draft
from chatapp.services import Services
from chatapp.storage import Message
from chatapp.web import create_app
from chatapp.web import services
from chatapp.wire import Content
from chatapp.wire import Cursor
from chatapp.wire import Event
from tests.support.person import new_local_id

WIDE = {"CHATAPP_RATE_BURST": "1000", "CHATAPP_RATE_PER_SECOND": "1000"}


class Stage:
    def __init__(self, data: Path, redis_url: str, **settings: str) -> None:
        given = {**WIDE, "CHATAPP_DATA": str(data), "REDIS_URL": redis_url, **settings}
        self.app: Flask = create_app(Config.from_environ(given))
        self.parts: Services = services(self.app)
        self.parts.tail._learn()
        # As each worker does at its start.
        with suppress(RedisAway):
            self.parts.log_owner.check()
            self.parts.live_log.meet()
        self.parts.outbox._met = True
        # Whoever waits for what a loop would do has it done instead.
        self.parts.outbox.cursor_of = self._cursor_of  # type: ignore[method-assign]
        self.parts.tail.wait_for = lambda cursor, seconds: None  # type: ignore[method-assign]

    def close(self) -> None:
        self.parts.link.close()
        self.parts.database.close()

    # Who and where

    def person(self, name: str) -> Identity:
        identity = self.parts.sessions.new_guest(name).identity
        self.settle()
        return identity

    def room(self, owner: Identity, name: str, visibility: str = "public", members: tuple[Identity, ...] = ()) -> int:
        self.parts.rooms.create(owner, name, None, visibility)
        for member in members:
            self.parts.rooms.add(owner if visibility == "private" else member, name, member.id)
        self.settle()
        return self.one("SELECT id FROM rooms WHERE name = :name", name=name)

    def say(self, who: Identity, room: str, body: str = "hello") -> dict[str, Any]:
        """Send and publish. Returns the message as the history has it."""
        id_ = self.send(who, room, body)
        self.settle()
        return {"id": id_, "cursor": str(Cursor(self.message(id_).log_id or 0)), "body": body}

    def send(self, who: Identity, room: str, body: str = "hello", local_id: str | None = None) -> str:
        """Send, and leave it to be published. Returns its id."""
        id_: str = self.parts.messaging.store(who, room, local_id or new_local_id(), Content(body)).document["id"]
        return id_

    def send_many(self, who: Identity, room: str, bodies: Iterable[str]) -> None:
        """Send all of these in few transactions, as those of many people who send at once."""
        room_id = self.one("SELECT id FROM rooms WHERE name = :name", name=room)
        drafts = [
            Draft(room_id, room, who.id, who.name, who.session_id, new_local_id(), Content(body)) for body in bodies
        ]
        for first in range(0, len(drafts), BATCH_MAX):
            outcomes = self.parts.committer._commit_all(drafts[first : first + BATCH_MAX])
            assert all(isinstance(one, Committed) for one in outcomes)

    # What the loops would do

    def settle(self) -> None:
        """Publish what waits, read what was published, write down what was acked."""
        self.publish()
        self.read()
        self.parts.receipts.flush()
        self.parts.receipts._look_again()
        self.publish()
        self.read()

    def _cursor_of(self, uid: str, seconds: float = 0.0) -> Cursor | None:
        with suppress(RedisAway):
            self.publish()
        return self.parts.outbox._awaited.get(uid, 0.0, lambda: True)

    def publish(self) -> None:
        self.parts.outbox._asked = True
        self.parts.outbox._flush()

    def read(self) -> None:
        """Let the tail read only while there is something to read: otherwise it would wait."""
        tail, live_log = self.parts.tail, self.parts.live_log
        if not tail._following:
            tail._resume()
        while live_log.last() > tail.end:
            tail._read()

    # Reading

    def reader(self, who: Identity, since: Cursor | str | None, *names: str) -> Reader:
        cursor = Cursor.parse(since) if isinstance(since, str) else since
        wanted = Wanted(frozenset(names) if names else None)
        return self.parts.feed.open(self.parts.feed.waiter(who, "poll"), who, wanted, cursor)

    def told(self, reader: Reader, limit: int = 200, most_bytes: int = 2**20) -> list[Event]:
        """All that it reads until it is up to date."""
        events: list[Event] = []
        while reader.behind:
            events += reader.read(limit, most_bytes)
        return events

    def bodies(self, who: Identity, since: Cursor | str, *names: str, limit: int = 200) -> list[str]:
        """The texts of the messages behind a cursor."""
        events = self.told(self.reader(who, since, *names), limit)
        return [event.body["message"]["body"] for event in events if event.type == "message.created"]

    def forget_window(self) -> None:
        """As after a restart: what was said so far has to come from the database."""
        self.parts.tail.window.reset(self.parts.tail.end)

    # What stands in the database

    def message(self, id_: str) -> Message:
        return self.parts.database.read(lambda tx: tx.get_one(Message, id_))

    def one(self, query: str, **given: Any) -> Any:
        return self.parts.database.read(lambda tx: tx.execute(text(query), given).scalar_one())

    def write(self, query: str, **given: Any) -> None:
        self.parts.database.write(lambda tx: tx.execute(text(query), given))

    def steps(self, read: Callable[[], object]) -> int:
        """How many instructions of SQLite's virtual machine this takes, by the hundred."""
        steps = [0]

        def count() -> int:
            steps[0] += 100
            return 0

        def watch(driver: Any, *_: Any) -> None:
            driver.set_progress_handler(count, 100)

        event.listen(self.parts.database.engine, "checkout", watch)
        read()
        event.remove(self.parts.database.engine, "checkout", watch)
        return steps[0]

    def statements(self, read: Callable[[], object]) -> int:
        """How many statements SQLite runs for this."""
        seen: list[str] = []

        def watch(driver: Any, *_: Any) -> None:
            driver.set_trace_callback(seen.append)

        event.listen(self.parts.database.engine, "checkout", watch)
        read()
        event.remove(self.parts.database.engine, "checkout", watch)
        return len(seen)

    def delivered_to(self, message: dict[str, Any], sender: Identity) -> tuple[str, int]:
        found, count, _ = self.parts.messaging.get(sender, message["id"])
        return found.status, count
