"""The tables, and the constraints that decide what queries only guess."""

import os
from datetime import UTC
from datetime import datetime
from enum import StrEnum

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger
from sqlalchemy import CheckConstraint
from sqlalchemy import DateTime
from sqlalchemy import Dialect
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import MetaData
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy import TypeDecorator
from sqlalchemy import UniqueConstraint
from sqlalchemy import false
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column
from sqlalchemy.orm import registry
from sqlalchemy.orm import relationship
from sqlalchemy.orm import validates

from chatapp.runtime import now_ms
from chatapp.runtime import utc_now
from chatapp.storage.name_order import name_order

# SQLite gives row numbers by itself only to a column whose type is exactly INTEGER.
BigNumber = BigInteger().with_variant(Integer, "sqlite")
# Sorted byte by byte, as SQLite and Python do; PostgreSQL otherwise sorts as its locale says.
RoomName = String(64).with_variant(VARCHAR(64, collation="C"), "postgresql")
NameOrder = String(255).with_variant(VARCHAR(255, collation="C"), "postgresql")


def uuid7() -> str:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then 74 random bits."""
    value = now_ms() << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no zone; this puts it back, so both databases return the same value."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UtcDateTime},
    )


db = SQLAlchemy(model_class=Base)


def _index_of(name: str, *columns: str, where: str) -> Index:
    """An index of some rows only. Each send is written twice, and each index that it touches is a page more.

    SQLite uses it only where the query itself states the condition, in each branch of an OR.
    """
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"
    DIRECT = "direct"


class MessageStatus(StrEnum):
    """Where a message stands.

    sending ─▶ sent ─▶ delivered, or sending ─▶ failed ─▶ sending. Only what is committed is stored, so a row
    is `sent` or `delivered`: a constraint says so, and the one statement that changes it asks for `sent`.
    """

    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"


class User(Base):
    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # When the newest host token with a `rooms` claim was made, in its own seconds: an older one joins nothing.
    claims_at: Mapped[int | None] = mapped_column(BigInteger)
    # Follows the name.
    name_order: Mapped[str] = mapped_column(NameOrder, server_default="")

    @validates("name")
    def _renamed(self, key: str, name: str) -> str:
        self.name_order = name_order(name)
        return name


class Session(Base):
    """A signed-in client. Only a keyed hash of its token is kept, so a copy of the database opens no door."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_ended", "expires_at", "token_hash"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    guest: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    signed_out_at: Mapped[datetime | None]
    # The host token's `rooms` claim as JSON; null without one.
    rooms: Mapped[str | None] = mapped_column(Text)

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class Room(Base):
    __tablename__ = "rooms"
    __table_args__ = (
        CheckConstraint("visibility IN ('public', 'private', 'direct')", name="visibility"),
        # What everybody is shown, page by page.
        _index_of("ix_rooms_public", "name", where="visibility = 'public'"),
        _index_of("ix_rooms_unswept", "id", where="deleted_at IS NOT NULL AND swept_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    name: Mapped[str] = mapped_column(RoomName, unique=True)
    title: Mapped[str | None] = mapped_column(String(255))
    visibility: Mapped[str] = mapped_column(String(16), default=Visibility.PUBLIC)
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    # The two users of a direct room in a fixed order: the pair has one room, whoever asks first.
    direct_pair: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # From here on it is gone, at every door. What is left of it is swept, but for what tells its members so.
    deleted_at: Mapped[datetime | None]
    # The name is another room's by now, perhaps.
    former_name: Mapped[str | None] = mapped_column(String(64))
    swept_at: Mapped[datetime | None]

    @property
    def called(self) -> str:
        """The name that clients know it by, also when it is deleted."""
        return self.former_name or self.name


class Membership(Base):
    __tablename__ = "memberships"
    __table_args__ = (Index("ix_memberships_by_name", "room_id", "name_order", "user_id"),)

    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    joined_at: Mapped[datetime] = mapped_column(default=utc_now)
    # The number of the event by which it began.
    joined: Mapped[int] = mapped_column(BigNumber)
    # The user's: members are shown page by page.
    name_order: Mapped[str] = mapped_column(NameOrder, server_default="")
    # When the user was last online in the room; null before the first time.
    last_seen_at: Mapped[datetime | None]


OF_ROOM = ("room_id", "log_id", "sender_id", "deleted_at")


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("sender_id", "local_id"),
        CheckConstraint("status IN ('sent', 'delivered')", name="status"),
        # With all that the unread ones are counted by.
        _index_of("ix_messages_of_room", *OF_ROOM, where="log_id IS NOT NULL"),
        # What an ack may still turn into `delivered`: short, however long the room's history is.
        _index_of("ix_messages_undelivered", "room_id", "log_id", where="status = 'sent' AND log_id IS NOT NULL"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    sender_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    local_id: Mapped[str] = mapped_column(String(64))
    # Of room, body and data as first sent: what a reuse of the localId is judged by, whatever was edited since.
    content_hash: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    # An object as JSON; null where there is none.
    data: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16), default=MessageStatus.SENT)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    # As long as it grows, `pieces` go on where `body` ends.
    growing: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The position of its `message.created`, null until published: the order of the room's history.
    log_id: Mapped[int | None] = mapped_column(BigInteger)

    room: Mapped[Room] = relationship(lazy="joined", innerjoin=True)
    sender: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    # What `pieces` say of one that grows, where somebody has looked.
    added = None  # type: str | None

    @property
    def text(self) -> str:
        """All that it says so far."""
        if not self.growing:
            return self.body
        assert self.added is not None, "what was added to it was not looked up"
        return self.body + self.added


class Growth(Base):
    """A message that grows, as long as it does: by whom, and how long it is, in code points.

    What each append changes stands in no index: on PostgreSQL it costs a tenth of what it would otherwise.
    """

    __tablename__ = "growths"

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    room_id: Mapped[int] = mapped_column(BigNumber)
    room: Mapped[str] = mapped_column(String(64))
    sender_id: Mapped[str] = mapped_column(String(255), index=True)
    session_id: Mapped[str] = mapped_column(String(64))
    length: Mapped[int]
    appended_at: Mapped[datetime] = mapped_column(default=utc_now)


class Piece(Base):
    """What was appended to a message that grows, at which code point."""

    __tablename__ = "pieces"

    # Not of the message: an append would wait for whoever ends the message, who waits for the append.
    message_id: Mapped[str] = mapped_column(ForeignKey("growths.message_id"), primary_key=True)
    at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)


class EventRow(Base):
    """One row for every event of the log. Rows without a `log_id` are the outbox."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_room_id_log_id", "room_id", "log_id"),
        _index_of("ix_events_user_id_room_id_log_id", "user_id", "room_id", "log_id", where="user_id IS NOT NULL"),
        _index_of("ix_events_user_id_log_id", "user_id", "log_id", where="user_id IS NOT NULL"),
        _index_of("ix_events_log_id", "log_id", where="log_id IS NOT NULL"),
        Index("ix_events_message_id", "message_id"),
        _index_of("ix_events_unpublished", "number", where="log_id IS NULL"),
        _index_of("ix_events_unpublished_moves", "number", where="log_id IS NULL AND user_id IS NOT NULL"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    type: Mapped[str] = mapped_column(String(32))
    message_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id"))
    # Who joined or left.
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    # The only user who may see it; null for everyone in the room.
    target_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    log_id: Mapped[int | None] = mapped_column(BigInteger)
    # What the row is, whichever database it stands in: a number comes again where a backup is restored. Null where its
    # message says that, and in rows from before there were any.
    uid: Mapped[str | None] = mapped_column(String(36), default=uuid7)

    room: Mapped[Room] = relationship(lazy="joined", innerjoin=True)
    message: Mapped[Message | None] = relationship(lazy="joined")
    user: Mapped[User | None] = relationship(lazy="joined", foreign_keys=[user_id])


class Incarnation(Base):
    """One life of this database: it begins anew where the database is restored from a backup, and where another server
    takes over."""

    __tablename__ = "incarnations"

    number: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    name: Mapped[str] = mapped_column(String(36), default=uuid7)
    # How the server called itself then; empty until somebody has looked.
    server: Mapped[str] = mapped_column(String(255))
    # The life in which the log was until then; empty if nobody knew.
    replaces: Mapped[str] = mapped_column(String(36))
    # What stood between these places of the log was shown, and is lost; null if nothing was.
    lost_after: Mapped[int | None] = mapped_column(BigInteger)
    lost_until: Mapped[int | None] = mapped_column(BigInteger)
    # What stands before this place may have been pruned; null if nothing was.
    pruned_until: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Host(Base):
    """A host of this service, and which secret it has."""

    __tablename__ = "hosts"
    __table_args__ = (Index("ix_hosts_seen_at", "seen_at"),)

    # Its own name and the port.
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    # What tells secrets apart.
    secret: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[datetime]


class Receipt(Base):
    """How far a user's clients have received a room, in one of the user's memberships of it.

    Both are places in the log. What lies after `first`, the joining's, and up to `delivered` has been received.
    """

    __tablename__ = "receipts"

    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    # The membership's: a user who comes back has another receipt.
    joined: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    # Null until that event is recorded.
    first: Mapped[int | None] = mapped_column(BigInteger)
    delivered: Mapped[int] = mapped_column(BigInteger, default=0)
    # Up to where the user has read; null before the first time.
    read: Mapped[int | None] = mapped_column(BigInteger)
