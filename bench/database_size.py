"""Size: what one request takes with a thousand messages in the database, and with a million."""

import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from pathlib import Path

from flask_migrate import upgrade

from bench import ours
from bench.case import Figures
from chatapp.config import Config
from chatapp.storage import db
from chatapp.web import create_app
from chatapp.wire import Cursor
from tests.support.big_database import FIRST_PLACE
from tests.support.big_database import PLACE_STEP
from tests.support.big_database import Size
from tests.support.big_database import fill
from tests.support.person import Person
from tests.support.service import Service
from tests.support.stream import EventStream

MESSAGES = (1_000, 100_000, 1_000_000)
# Rooms grow too, from more than fill one page of the list.
ROOMS = {1_000: 200, 100_000: 2_000, 1_000_000: 10_000}
# Whoever asks is one of so many in `general`, where half of all is said.
USERS = 2_000
TURNS = 100
# Of these the slowest twentieth is left out.
P95 = 0.95
# Pages and catching up begin here, evenly spread over all of the past.
HISTORY_LIMIT = 50
SETTLE_S = 2.0


def figures() -> Iterator[Figures]:
    """All sizes at once, in turn for each request, so that they meet the same moods of the machine."""
    with ExitStack() as held:
        askers = {count: held.enter_context(_asker(count)) for count in MESSAGES}
        # What building left to be written would hold up every commit; and what each start leaves to be done.
        os.sync()
        time.sleep(SETTLE_S)
        took: defaultdict[str, list[float]] = defaultdict(list)
        for turn in range(TURNS):
            for name in Asker.ASKED:
                for count in sorted(askers, key=lambda count: (count * 7 + turn) % 5):
                    began_s = time.monotonic()
                    getattr(askers[count], name)()
                    took[f"size_{name}_{count}"].append(time.monotonic() - began_s)
        for name, times_s in took.items():
            times_s.sort()
            yield {f"{name}.p50_ms": times_s[len(times_s) // 2] * 1000}
            yield {f"{name}.p95_ms": times_s[int(len(times_s) * P95)] * 1000}


def size_of(count: int) -> Size:
    return Size(
        messages=count,
        rooms=ROOMS[count],
        users=USERS,
        # Each is delivered, which is told; and each membership began.
        events=2 * count + 2 * USERS + 5 * ROOMS[count],
        waiting=0,
        in_general=2,
    )


@contextmanager
def _asker(count: int) -> Iterator["Asker"]:
    with tempfile.TemporaryDirectory(prefix="bench-size-") as folder:
        _build(Path(folder) / "data", size_of(count))
        service = Service(Path(folder), **ours.SETTINGS)
        try:
            with Person(service.url, "Ada") as ada:
                room = ada.create_room(name="bench-size")
                with ada.stream() as stream:
                    stream.until("ready")
                    yield Asker(ada, room, stream, size_of(count))
        finally:
            service.stop()


def _build(data: Path, size: Size) -> None:
    with create_app(Config.from_environ({"CHATAPP_DATA": str(data)})).app_context():
        upgrade()
        fill(db.engine, size)
        db.engine.dispose()


class Asker:
    """One member of `general`, with an open stream. Each method is one request, up to where its effect is seen."""

    ASKED = ("send", "edit", "leave", "history", "catch_up", "rooms")

    def __init__(self, person: Person, room: str, stream: EventStream, size: Size) -> None:
        self._person = person
        self._room = room
        self._stream = stream
        self._random = random.Random(1)
        # By the way it is built: the joinings, then the messages.
        first = size.events - 2 * size.messages
        self._places = range(first, first + size.messages)
        self._sent = ""
        self._members = False
        self._after: str | None = None

    def send(self) -> None:
        self._sent = self._person.send("general", "hello")["id"]
        self._seen("message.created")

    def edit(self) -> None:
        answer = self._person.http.patch(f"/messages/{self._sent}", json={"body": "edited"})
        assert answer.status_code == 200, answer.text
        self._seen("message.updated")

    def leave(self) -> None:
        """In turn with coming back: both are one event."""
        if self._members:
            self._person.join(self._room)
        else:
            answer = self._person.http.delete(f"/rooms/{self._room}/members/me")
            assert answer.status_code == 204, answer.text
        self._stream.until("member.joined" if self._members else "member.left")
        self._members = not self._members

    def history(self) -> None:
        assert self._person.page("general", before=self._somewhere(), limit=HISTORY_LIMIT)["messages"]

    def catch_up(self) -> None:
        assert self._person.poll(self._somewhere(), rooms="general", limit=HISTORY_LIMIT)["events"]

    def rooms(self) -> None:
        """Page after page, and from the first again."""
        query = {"after": self._after} if self._after else {}
        answer = self._person.http.get("/rooms", params=query)
        assert answer.status_code == 200, answer.text
        self._after = answer.json()["after"]

    def _seen(self, type_: str) -> None:
        while self._stream.until(type_).data["message"]["id"] != self._sent:
            pass

    def _somewhere(self) -> str:
        """A cursor behind which there is enough."""
        most = len(self._places) * 9 // 10
        return str(
            Cursor(FIRST_PLACE + self._places[self._random.randrange(len(self._places) // 5, most)] * PLACE_STEP)
        )
