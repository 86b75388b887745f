"""`Load`: the people of one case and their clients: senders, readers by each transport, and one who comes and goes."""

import itertools
import math
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx

from tests.faults.churn import Churn
from tests.faults.drain import drain_by_poll
from tests.faults.drain import drain_by_stream
from tests.faults.grower import Grower
from tests.faults.history import digest
from tests.faults.onlooker import Onlooker
from tests.faults.reader import Reader
from tests.faults.replayer import Replayer
from tests.faults.sender import Sender
from tests.faults.storage_dump import grown_rows
from tests.faults.storage_dump import rows
from tests.faults.world import World
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until

TRANSPORTS = ("stream", "poll", "changing")
# However many clients there are, they belong to at most this many people: signing in is not what is tested here.
PEOPLE_MAX = 20
START_TIMEOUT_S = 30.0
# Within 15 s of healing all is well again; then a few dozen messages take a second or two.
GOES_ON_S = 20.0
SETTLE_TIMEOUT_S = 60.0
DRAINS_BY_POLL = 12
DRAINS_BY_STREAM = 4
DRAINS_AT_ONCE = 6
ASKED_STATUS = 20
BURST_BATCH = 50


class Load:
    """Its clients go to `world.url`; what the lab itself asks goes to the service directly."""

    def __init__(self, world: World, *, senders: int, readers: int, pause_s: float) -> None:
        self._history = history = world.history
        self._database_url = world.database_url
        self._url = world.url
        url, service_url = world.url, world.service.url
        self._senders_people = [Person(service_url, f"Sender {number}") for number in range(min(senders, PEOPLE_MAX))]
        self._readers_people = [Person(service_url, f"Reader {number}") for number in range(min(readers, PEOPLE_MAX))]
        self._leaver = Person(service_url, "Leaver")
        self.owner = self._senders_people[0]
        self.room = self._open_room("public", [*self._senders_people, *self._readers_people, self._leaver])
        inside = [*self._senders_people[:2], *self._readers_people[:6]]
        self.private = self._open_room("private", [*inside, self._leaver])
        self.senders = [
            Sender(
                history,
                url,
                person := self._senders_people[number % len(self._senders_people)],
                f"sender-{number}",
                [self.room, self.private] if person in inside else [self.room],
                pause_s=pause_s,
                batch=3 if number % 5 == 4 else 1,
            )
            for number in range(senders)
        ]
        transports = itertools.cycle(TRANSPORTS)
        self.readers = []
        for number in range(readers):
            person = self._readers_people[number % len(self._readers_people)]
            rooms = [self.room, self.private] if person in inside else [self.room]
            transport = next(transports)
            self.readers.append(
                Reader(history, url, person, f"{transport}-{number}", rooms, transport, acks=number % 3 == 2)
            )
        self.leavers = [
            Reader(history, url, self._leaver, f"leaver-{transport}", [self.private], transport, continuous=False)
            for transport in ("stream", "poll")
        ]
        # A sender's own client is told what became of its messages.
        owner = Reader(history, url, self.owner, "owner-stream", [self.room], "stream", continuous=False)
        self._others = [*self.leavers, owner]
        self.replayer = Replayer(history, url, self._leaver, self.private)
        self._bursts: list[Sender] = []
        self.grower = Grower(history, url, self.owner, self.private)
        self.onlooker = Onlooker(history, url, self._readers_people[0], self.private)
        self._churn = Churn(history, self.owner, self.private, self._leaver)

    @property
    def acknowledged(self) -> int:
        return sum(len(sender.acknowledged) for sender in self.senders)

    @property
    def unavailable(self) -> int:
        """How many sends were refused for now."""
        return sum(sender.unavailable for sender in self.senders)

    def start(self) -> None:
        """Readers first; returns when the first messages went through."""
        for reader in [*self.readers, *self._others]:
            reader.start()
        everyone = [*self.readers, *self._others]
        wait_until(lambda: all(one.cursor for one in everyone), START_TIMEOUT_S, "every reader's first cursor")
        for thread in [*self.senders, self._churn, self.replayer, self.onlooker, self.grower]:
            thread.start()
        self.goes_on()

    def goes_on(self, messages: int = 20, seconds: float = GOES_ON_S) -> None:
        """Wait until this many more messages were acknowledged."""
        wanted = self.acknowledged + messages
        wait_until(lambda: self.acknowledged >= wanted, seconds, f"{messages} more acknowledged messages")

    def burst(self, messages: int, room: str | None = None, body_bytes: int = 0) -> None:
        """This many messages of the owner, as fast as they go, fifty at a time."""
        sender = Sender(
            self._history,
            self._url,
            self.owner,
            f"burst-{len(self.senders)}",
            [room or self.room],
            pause_s=0.0,
            batch=BURST_BATCH,
            body_bytes=body_bytes,
        )
        self._bursts.append(sender)
        sender.start()
        wait_until(lambda: len(sender.acknowledged) >= messages, SETTLE_TIMEOUT_S, f"{messages} messages at once")
        sender.finish()
        sender.wait()
        if room is None:
            self.senders.append(sender)

    def say(self, room: str, body: str, by: Person | None = None) -> None:
        """One message of the owner, or of somebody else, which must be accepted."""
        person = by or self.owner
        local_id = new_local_id()
        fields = {"user": person.id, "room": room, "localId": local_id}
        self._history.record("lab", "send", "invoke", hash=digest(body), **fields)
        message = person.send(room, body, local_id)
        self._history.record("lab", "send", "ok", id=message["id"], seq=message["cursor"], status=201, **fields)

    def converge(self, healed_s: float) -> None:
        """How long after healing everything accepted so far is shown by everyone. Recorded for the checker."""
        wanted = {id_ for sender in self.senders for id_ in list(sender.acknowledged.values())}
        # A private room's messages are not for every reader.
        private = {
            one["id"]
            for one in list(self._history.records)
            if one["f"] == "send" and one["type"] == "ok" and one["room"] == self.private
        }

        def missing() -> int:
            return sum(
                len((wanted if self.private in one.rooms else wanted - private) - one.shown) for one in self.readers
            )

        try:
            wait_until(lambda: not missing(), SETTLE_TIMEOUT_S)
        except TimeoutError:
            self._history.record("lab", "converged", "fail", missing=missing())
            return
        self._history.record("lab", "converged", "ok", seconds=time.monotonic() - healed_s)
        self._be_whole(healed_s)

    def _be_whole(self, healed_s: float) -> None:
        """How long after healing everybody who follows the room is shown as there. Recorded for the checker."""
        wanted = {one.person.id for one in self.readers}

        def missing() -> set[str]:
            with suppress(httpx.TransportError):
                answer = self.owner.http.get(f"/rooms/{self.room}/members", params={"online": "true", "limit": 1000})
                if answer.status_code == 200:
                    return wanted - {one["id"] for one in answer.json()["members"]}
            return wanted

        try:
            wait_until(lambda: not missing(), SETTLE_TIMEOUT_S)
        except TimeoutError:
            self._history.record("lab", "present", "fail", missing=sorted(missing()))
            return
        self._history.record("lab", "present", "ok", seconds=time.monotonic() - healed_s)

    def finish(self) -> None:
        """Let the senders get their last answers and the readers the last messages; then end them all."""
        acting = [*self.senders, self._churn, self.replayer, self.grower]
        for actor in acting:
            actor.finish()
        for actor in acting:
            actor.wait()
        self.converge(time.monotonic())
        ended = set(self.grower.finished)
        with suppress(TimeoutError):  # The checker says so.
            wait_until(lambda: ended <= self.onlooker.ended, SETTLE_TIMEOUT_S, "the ends of all replies")
        for reader in [*self.readers, *self._others, self.onlooker]:
            reader.finish()
        for reader in [*self.readers, *self._others, self.onlooker]:
            reader.wait()

    def read_again(self) -> None:
        """The final state: what senders are told, what issued cursors still give, what the database holds."""
        for sender in self.senders[:3]:
            self._ask_receipts(sender)
        records = list(self._history.records)
        issued = {one["cursor"] for one in records if one["f"] == "connect" and one["type"] == "ok"}
        some = random.sample(sorted(issued), min(len(issued), DRAINS_BY_POLL + DRAINS_BY_STREAM))
        with ThreadPoolExecutor(DRAINS_AT_ONCE) as draining:
            list(draining.map(self._drain, itertools.count(), ["0-0", *some]))
        for row in rows(self._database_url):
            self._history.record("lab", "row", "ok", **row)
        for row in grown_rows(self._database_url):
            self._history.record("lab", "grown_row", "ok", **row)

    def _drain(self, number: int, since: str) -> None:
        reader = self.readers[number % len(self.readers)]
        drain = drain_by_stream if number > DRAINS_BY_POLL else drain_by_poll
        drain(self._history, reader.person, since, reader.rooms)

    def _ask_receipts(self, sender: Sender) -> None:
        sent = list(sender.acknowledged.values())
        for id_ in random.sample(sent, min(ASKED_STATUS, len(sent))):
            message = sender.person.message(id_)
            fields = {name: message[name] for name in ("id", "status", "deliveredTo")}
            self._history.record(f"{sender.name}-get", "receipt", "ok", **fields)

    def close(self) -> None:
        """End every client, also those that a failure left running."""
        acting = [*self.senders, *self._bursts, self._churn, self.replayer, self.grower]
        clients = [*acting, *self.readers, *self._others, self.onlooker]
        for client in clients:
            client.abandon()
        for client in clients:
            with suppress(TimeoutError, RuntimeError):
                client.wait()
        for person in [*self._senders_people, *self._readers_people, self._leaver]:
            person.http.close()

    def answered_s(self, part: float) -> float:
        """Within how many seconds this part of all sends was answered; 0 without any."""
        times = sorted(time_s for sender in self.senders for time_s in list(sender.answered_s))
        return times[math.ceil(part * len(times)) - 1] if times else 0.0

    def _open_room(self, visibility: str, members: list[Person]) -> str:
        room = self.owner.create_room(visibility)
        self._history.record("lab", "room", "ok", room=room, visibility=visibility)
        for person in members:
            fields = {"user": person.id, "room": room, "change": "joined"}
            self._history.record("lab", "member", "invoke", **fields)
            if visibility == "public":
                person.join(room)
            else:
                self.owner.invite(room, person)
            self._history.record("lab", "member", "ok", **fields)
        return room
