"""Every statement of the service, on a database in which much was said: none reads, sorts or copies a whole table.

The statements are not listed here. A scenario drives every use case, and each statement that it runs is looked at as
it is planned there and then. What the scenario forgets is found too, by the places from which statements are run.
"""

import ast
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask_migrate import upgrade

from chatapp.config import Config
from chatapp.errors import ChatError
from chatapp.eventlog.live_log import Row
from chatapp.keeping import Pace
from chatapp.keeping import RoomImport
from chatapp.keeping import Said
from chatapp.keeping import documents
from chatapp.keeping import forgetting
from chatapp.keeping import prune
from chatapp.keeping import rooms as named_rooms
from chatapp.people import Identity
from chatapp.people import access
from chatapp.receiving import Wanted
from chatapp.receiving import history
from chatapp.runtime import now_ms
from chatapp.runtime import utc_now
from chatapp.sending.committer import Draft
from chatapp.storage import Prepared
from chatapp.storage import db
from chatapp.web import create_app
from chatapp.wire import Content
from chatapp.wire import Cursor
from tests.support.big_database import GENERAL
from tests.support.big_database import Size
from tests.support.big_database import fill
from tests.support.big_database import message_id
from tests.support.big_database import room_name
from tests.support.big_database import room_of
from tests.support.big_database import user_id
from tests.support.open_folder import open_folder
from tests.support.postgres import Postgres
from tests.support.redis_server import RedisServer
from tests.support.service import ROOT
from tests.support.stage import Stage
from tests.support.statements_seen import StatementsSeen

# More than are looked at in one go.
SIZE = Size(waiting=2_100)
SECRET = "of the test, 32 bytes and a few more"
_numbers = count(1)
_rounds = count(1)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


def made(settings: dict[str, str]) -> None:
    with create_app(Config.from_environ(settings)).app_context():
        upgrade()
        fill(db.engine, SIZE)
        db.engine.dispose()


@pytest.fixture(scope="module")
def redis(data: Path) -> Iterator[RedisServer]:
    server = RedisServer(data / "redis")
    yield server
    server.stop()


def test_no_statement_reads_a_whole_table_on_sqlite(data: Path, redis: RedisServer) -> None:
    look({"CHATAPP_DATA": str(data)}, redis, generic=(False,))


def test_no_statement_reads_a_whole_table_on_postgres(data: Path, redis: RedisServer, postgres: Postgres) -> None:
    """Planned for its parameters, and without them, as a statement is that was prepared."""
    look({"CHATAPP_DATA": str(data), "DATABASE_URL": postgres.database()}, redis, generic=(False, True))


def look(settings: dict[str, str], redis: RedisServer, *, generic: tuple[bool, ...]) -> None:
    made(settings)
    seen = StatementsSeen()
    for one in generic:
        redis.client.flushall()
        stage = Stage(Path(settings["CHATAPP_DATA"]), redis.url, CHATAPP_JWT_SECRET=SECRET, **settings)
        try:
            seen.watch(stage.parts.database.engine, generic=one)
            Scenario(stage).run()
        finally:
            stage.close()
    assert forgotten(seen, stage) == []
    assert seen.wrong == [], "\n\n".join(seen.wrong)


def forgotten(seen: StatementsSeen, stage: Stage) -> list[str]:
    """Statements that are prepared, and places where some are run, that the scenario came nowhere near."""
    dialect = stage.parts.database.engine.dialect
    prepared = {
        f"{name}.{word}"
        for name, module in sys.modules.items()
        if name.startswith("chatapp.")
        for word, value in vars(module).items()
        if isinstance(value, Prepared) and value.compiled(dialect).text not in seen.texts
    }
    return sorted(prepared) + sorted(
        f"{path.relative_to(ROOT)}:{first}"
        for path in (ROOT / "chatapp").rglob("*.py")
        if "migrations" not in path.parts and "command" not in path.parts
        for first, last in asking(ast.parse(path.read_text()))
        if not any((str(path), line) in seen.lines for line in range(first, last + 1))
    )


def asking(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """From and to which line a session is asked."""
    words = {"execute", "scalar", "scalars", "get", "get_one", "flush"}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in {"tx", "transaction", "session"}
            and node.func.attr in words
        ):
            yield node.lineno, node.end_lineno or node.lineno


class Scenario:
    """Every use case, by people of whom one belongs to thousands of rooms."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.parts = stage.parts
        self.keen = self._identity(1)
        self.other = self._identity(4)
        # So that the scenario can be run again on the same database.
        self.mark = f"{now_ms()}-{next(_numbers)}"

    def run(self) -> None:
        self.before_anything_is_published()
        self.stage.settle()
        self.people()
        self.rooms()
        self.sending()
        self.changes()
        self.growing()
        self.receiving()
        self.reading()
        self.stage.settle()
        self.another_server()
        self.keeping()

    def _identity(self, number: int) -> Identity:
        ends = utc_now() + timedelta(days=9)
        return Identity(user_id(number), f"Person {number}", f"hash{number}", ends, ends)

    def before_anything_is_published(self) -> None:
        self.histories()
        self.parts.backlog.look()
        self._read(self.keen, Cursor(self.parts.kept_log.newest() - (1 << 30)))
        self.parts.committer.commit(
            Draft(GENERAL, "general", self.keen.id, "Ada", "session", f"first-{self.mark}", Content("behind many"))
        )

        waiting = self.parts.kept_log.unrecorded()
        seen = max(waiting, key=lambda uid: waiting[uid])
        place = Cursor(self.parts.kept_log.newest() + 1)
        self.parts.kept_log.keep_first(lambda uid: place if uid == seen else None)

    def another_server(self) -> None:
        self.stage.parts.hosts._look()
        incarnations = self.parts.log_owner._incarnations
        end = self.parts.kept_log.newest()
        rows = [Row(user_id(number), number, Cursor(end + number), GENERAL) for number in range(1, 41)]
        assert incarnations.missing(rows)
        name = incarnations.begin("elsewhere", f"before-{self.mark}", lost=True)
        incarnations.lose(name, self.parts.kept_log.newest_before(Cursor(2)), Cursor(2))
        assert incarnations.look().newest.name == name

    def people(self) -> None:
        sessions = self.parts.sessions
        self.parts.database.ping()
        guest = sessions.new_guest("Ada")
        who = sessions.identify(guest.token)
        for days in (-1, 5):
            self.stage.write(
                "UPDATE sessions SET expires_at = :at WHERE token_hash = :hash",
                at=utc_now() + timedelta(days=days),
                hash=who.session_id,
            )
            sessions.forget_all()
            if days < 0:
                assert sessions.returning_guest(guest.token)
        who = sessions.renew(sessions.identify(guest.token))
        sessions.sign_out(who)
        self.stage.settle()
        for made_at, rooms in ((1, [f"host-{number}" for number in range(50)]), (2, ["host-1", "room-1000003"])):
            token = self._host_token(made_at, rooms)
            host = sessions.identify(token)
            self.rooms_of(host)
        sessions.for_host_token(host)
        sessions.forget_all()
        sessions.identify(token)
        # A thousand users come back at once.
        sessions_load = self.parts.sessions._known._load
        self.parts.database.read(lambda tx: sessions_load(tx, [f"hash{number}" for number in range(1, 201)]))

    def _host_token(self, made_at: int, rooms: list[str]) -> str:
        claims = {
            "sub": self.mark,
            "name": f"Eve {made_at}",
            "iat": made_at,
            "exp": now_ms() / 1000 + 900,
            "rooms": rooms,
        }
        return jwt.encode(claims, SECRET, "HS256")

    def rooms_of(self, who: Identity) -> None:
        """The first pages, and one near the end."""
        rooms = self.parts.rooms
        first, after = rooms.list(who, None, 100)
        assert first
        for _ in range(25 if who is self.keen else 3):
            if after is not None:
                _, after = rooms.list(who, after, 100)

    def rooms(self) -> None:
        rooms, name = self.parts.rooms, f"new-{self.mark}"
        for who in (self.keen, self.other):
            self.rooms_of(who)
        created = rooms.create(self.keen, name, "New", "private")
        assert created.owner == self.keen.id
        assert rooms.add(self.keen, name, self.other.id).id == self.other.id
        rooms.change(self.keen, name, {"title": "Newer", "owner": self.other.id})
        rooms.change(self.other, name, {"owner": self.keen.id})
        rooms.remove(self.keen, name, self.other.id)
        self.deleted()
        rooms.get(self.other, "general")
        friend = user_id(5 + next(_numbers))
        rooms.get(self.other, rooms.direct(self.other, friend).name)
        assert rooms.present_direct(self.other, friend)
        members = self.parts.members
        assert len(members.page(self.other, room_name(3), None, 200, online=False)[0]) >= 3
        first, after = members.page(self.other, "general", None, 200, online=False)
        assert first != members.page(self.other, "general", after, 200, online=False)[0]
        rooms.remove(self.other, "general", self.other.id)
        rooms.add(self.other, "general", self.other.id)
        for who in (self.keen, self.other):
            names = frozenset(room_name(number) for number in range(1, 300))
            self.parts.known_rooms.among(who, names, self.parts.known_rooms.memberships(who, None))
        load = self.parts.known_rooms._memberships._load
        self.parts.database.read(lambda tx: load(tx, [user_id(number) for number in range(1, 201)]))
        asked = [access.RoomsAsked(user_id(number), None, names) for number in range(1, 7)]
        self.parts.database.read(lambda tx: access.among_for(tx, asked))

    def sending(self) -> None:
        messaging, name = self.parts.messaging, room_name(3)
        for identity in (self.keen,):
            for room in (name, "general"):
                local_id = f"sent-{room}-{self.mark}"
                messaging.store(identity, room, local_id, Content("hello"))
                # Nobody waits any more for it to be published.
                self.stage.settle()
                messaging.store(identity, room, local_id, Content("hello"))
                messaging.accepted(identity, room, local_id, Content("hello"))
                with suppress(ChatError):
                    messaging.store(identity, room, local_id, Content("something else"))
        messaging.status(self.keen, [f"sent-{name}-{self.mark}", *(f"unknown-{number}" for number in range(99))])
        with suppress(ChatError):
            messaging.store(self.other, room_name(3), f"refused-{self.mark}", Content("no member"))
        drafts = [
            Draft(GENERAL, "general", user_id(number), "Somebody", "session", f"many-{self.mark}", Content("at once"))
            for number in range(1, 101)
        ]
        # Twice: the second time, all of them are there.
        for _ in range(2):
            assert all(not isinstance(one, Exception) for one in self.parts.committer._commit_all(drafts))
        self.stage.settle()

    def changes(self) -> None:
        id_ = self.stage.say(self.keen, "general", "to be changed")["id"]
        self.parts.changes.edit(self.keen, id_, {"body": "changed"})
        self.parts.messaging.get(self.keen, id_)
        self.parts.changes.withdraw(self.keen, id_)
        for number in (4, 5):
            with suppress(ChatError):
                self.parts.messaging.get(self.keen, message_id(number))

    def growing(self) -> None:
        """Two that end: one by its sender, one by itself."""
        for number in range(2):
            sent = self.parts.messaging.store(
                self.keen, "general", f"grows-{self.mark}-{number}", Content("so ", growing=True)
            )
            id_ = sent.document["id"]
            for _ in range(2):
                self.parts.appends.append(self.keen, id_, 3, "far")
            self.parts.growing_now.look_again()
            self.parts.growing_now._load()
            self.stage.settle()
        self.parts.changes.finish(self.keen, id_, None)
        self.stage.write("UPDATE growths SET appended_at = :then", then="2026-01-01 00:00:00")
        self.parts.grown_text._end_idle()
        self.stage.settle()

    def receiving(self) -> None:
        self.histories()
        self.stage.forget_window()
        self.catching_up()
        end = self.parts.tail.end
        for who in (self.keen, self.other):
            mine = self.parts.known_rooms.memberships(who, end)
            self.parts.receipts.ack(who.id, mine.joinings(), end)
            self.stage.settle()
        self.parts.kept_log.newest_anywhere()
        for before in (Cursor(0), Cursor(end - 1)):
            self.parts.kept_log.any_within(before, end)

    def reading(self) -> None:
        """With much unread, and with nothing."""
        newest = self.parts.kept_log.newest()
        for who in (self.keen, self.other):
            for place in (Cursor(newest - (1 << 45)), newest):
                self.parts.read_receipts.move(who, "general", place)
                self.parts.rooms.list(who, None, 100)
        for room in ("general", room_name(3)):
            room_id = self.stage.one("SELECT id FROM rooms WHERE name = :name", name=room)
            self.parts.room_receipts.read(room_id, self.keen.id)
        self.parts.room_receipts._tell()
        self.present()
        self.parts.typing.tell(self.keen, "general", True)

    def deleted(self) -> None:
        """A new room, and one in which much was said."""
        name, large = f"gone-{self.mark}", room_name(room_of(77_777 + next(_numbers), SIZE))
        self.parts.rooms.create(self.keen, name, None, "public")
        self.stage.say(self.keen, name, "soon gone")
        ids = [self.stage.one("SELECT id FROM rooms WHERE name = :name", name=one) for one in (name, large)]
        self.parts.rooms.delete(self.keen, name)
        self.stage.write("UPDATE rooms SET deleted_at = created_at WHERE name = :name", name=large)
        self.stage.settle()
        for _ in range(12):
            self.parts.deleted_rooms._step()
            self.stage.settle()
        for id_ in ids:
            self.stage.write("UPDATE rooms SET deleted_at = created_at WHERE id = :id", id=id_)
        for _ in range(3):
            self.parts.deleted_rooms._step()

    def keeping(self) -> None:
        """Some guests of long ago are gone, and the first thousands of messages are too old."""
        round_ = next(_rounds)
        guest = self.parts.sessions.new_guest("Silent").identity
        self.parts.rooms.remove(guest, "general", guest.id)
        self.stage.settle()
        self.stage.write("UPDATE events SET log_id = number WHERE user_id = :guest", guest=guest.id)
        self.stage.write(
            "UPDATE sessions SET expires_at = '2020-01-01 00:00:00' WHERE token_hash = :hash", hash=guest.session_id
        )
        first = 15_000 + 100 * round_
        gone = [f"hash{number}" for number in range(first, first + 100)]
        self.stage.write(
            f"UPDATE sessions SET expires_at = '2020-01-01 00:00:00' WHERE token_hash IN ({str(gone)[1:-1]})"
        )
        said = self.stage.one("SELECT log_id FROM messages WHERE id = :id", id=message_id(1_000 * round_))
        self._said_in_one_room(1_000 * round_)
        self._edited_all_day(said - 1)
        for dry in (True, False):
            for _ in prune(self.parts.database, Cursor(said), dry=dry):
                pass
            self.stage.settle()
        self.taken_along(round_)

    def _said_in_one_room(self, last: int) -> None:
        """Most of what is too old, page after page of it: a thousand rooms with one such message each would take the
        same statements for each of them."""
        for first in range(0, last, 250):
            between = {"first": message_id(first), "last": message_id(first + 250)}
            for table, column in (("messages", "id"), ("events", "message_id")):
                self.stage.write(
                    f"UPDATE {table} SET room_id = {GENERAL}"
                    f" WHERE {column} >= :first AND {column} < :last AND {column} NOT LIKE '%77'",
                    **between,
                )

    def _edited_all_day(self, place: int) -> None:
        """A message of long ago, of which more was told than goes in one step."""
        given = {"place": place, "id": self.stage.say(self.keen, "general", "edited all day")["id"]}
        self.stage.write("UPDATE messages SET log_id = :place WHERE id = :id", **given)
        self.stage.write("UPDATE events SET log_id = :place WHERE message_id = :id", **given)
        self.stage.write(
            "WITH RECURSIVE series (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < 700)"
            " INSERT INTO events (room_id, type, message_id, log_id)"
            f" SELECT {GENERAL}, 'message.updated', :id, :place FROM series",
            **given,
        )

    def taken_along(self, round_: int) -> None:
        """A large room goes out, the same comes in twice, and somebody who was in both is forgotten."""
        database, name = self.parts.database, f"imported-{self.mark}"
        assert database.read(lambda tx: named_rooms.ids(tx, ["general"])) == {"general": GENERAL}
        assert next(documents(database, GENERAL))
        for word in ("some", "some", "more"):
            brought = RoomImport(database, "irc", name)
            for number in range(50):
                assert (
                    brought.take(Said("1", name, f"{word} {number}", "ada", "Ada", f"{word} {number}", 10**12)) is None
                )
            brought.finish(public=word == "more")
        Pace(database).keep()
        for user in (user_id(7_000 + round_), user_id(8_000 + round_)):
            person = database.read(lambda tx, user=user: forgetting.found(tx, user))
            assert person is not None
            assert sum(forgetting.messages(database, user))
            assert sum(forgetting.forget(database, self.parts.live_log, user))
            self.stage.settle()

    def present(self) -> None:
        """The members of the largest room, and one of them who comes and goes."""
        waiter = self.parts.feed.waiter(self.keen, "poll")
        self.parts.feed.open(waiter, self.keen, Wanted(), None)
        self.parts.presence._round()
        page, _ = self.parts.members.page(self.keen, "general", None, 200, online=True)
        assert self.keen.id in [one.id for one in page]
        self.parts.feed.close(waiter)
        self.parts.presence.end_session(self.keen.session_id)
        self.parts.presence._compare(self.keen.id, self.keen.session_id)
        for pair in list(self.parts.presence._leaving):
            self.parts.presence._leave_at_once(pair)
        self.parts.presence._round()
        self.parts.last_seen._write()

    def histories(self) -> None:
        ends = Cursor(self.stage.one("SELECT log_id FROM messages WHERE id = :id", id=message_id(100_000)))
        for name in ("general", room_name(room_of(100_001, SIZE))):
            for before, after in ((None, None), (ends, None), (None, ends), (Cursor(ends + (1 << 40)), ends)):
                with suppress(ChatError):
                    self.parts.database.read(
                        lambda tx, name=name, before=before, after=after: history.page(
                            tx, access.readable(tx, self.keen, name).id, before, after, 200
                        )
                    )

    def catching_up(self) -> None:
        newest = self.parts.kept_log.newest()
        for who in (self.keen, self.other):
            for since in (Cursor(0), Cursor(newest - (1 << 45)), Cursor(newest - (1 << 30))):
                for names in ((), ("general",), (room_name(3), "general")):
                    with suppress(ChatError):
                        self._read(who, since, *names)

    def _read(self, who: Identity, since: Cursor, *names: Any) -> None:
        reader = self.stage.reader(who, since, *names)
        for _ in range(3):
            if reader.needs_database:
                reader.read(200, 2**20)
        self.parts.feed.close(reader.listener)
