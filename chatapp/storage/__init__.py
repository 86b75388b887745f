"""Where things are kept: the database and its tables, and the ways to Redis."""

from chatapp.storage.database import POSTGRES_CONNECTIONS
from chatapp.storage.database import Database
from chatapp.storage.database import engine_options
from chatapp.storage.database import insert_into
from chatapp.storage.database import prepare
from chatapp.storage.database_clock import ago
from chatapp.storage.long_work import long_work_engine
from chatapp.storage.models import EventRow
from chatapp.storage.models import Growth
from chatapp.storage.models import Host
from chatapp.storage.models import Incarnation
from chatapp.storage.models import Membership
from chatapp.storage.models import Message
from chatapp.storage.models import MessageStatus
from chatapp.storage.models import Piece
from chatapp.storage.models import Receipt
from chatapp.storage.models import Room
from chatapp.storage.models import Session
from chatapp.storage.models import User
from chatapp.storage.models import Visibility
from chatapp.storage.models import db
from chatapp.storage.models import uuid7
from chatapp.storage.name_order import name_order
from chatapp.storage.redis_link import COMMAND_TIMEOUT_S
from chatapp.storage.redis_link import QUICK_TIMEOUT_S
from chatapp.storage.redis_link import TAIL_BLOCK_MS
from chatapp.storage.redis_link import Client
from chatapp.storage.redis_link import RedisLink
from chatapp.storage.redis_link import probe
from chatapp.storage.revision import MIGRATIONS
from chatapp.storage.revision import Revision
from chatapp.storage.sqlalchemy_ties import moment
from chatapp.storage.statements import DIALECTS
from chatapp.storage.statements import Prepared
from chatapp.storage.statements import Rows
from chatapp.storage.statements import for_all
from chatapp.storage.statements import inserted_if
from chatapp.storage.statements import listed
from chatapp.storage.statements import listed_pairs
from chatapp.storage.statements import one_of
from chatapp.storage.statements import rows_within

__all__ = [
    "COMMAND_TIMEOUT_S",
    "DIALECTS",
    "MIGRATIONS",
    "POSTGRES_CONNECTIONS",
    "QUICK_TIMEOUT_S",
    "TAIL_BLOCK_MS",
    "Client",
    "Database",
    "EventRow",
    "Growth",
    "Host",
    "Incarnation",
    "Membership",
    "Message",
    "MessageStatus",
    "Piece",
    "Prepared",
    "Receipt",
    "RedisLink",
    "Revision",
    "Room",
    "Rows",
    "Session",
    "User",
    "Visibility",
    "ago",
    "db",
    "engine_options",
    "for_all",
    "insert_into",
    "inserted_if",
    "listed",
    "listed_pairs",
    "long_work_engine",
    "moment",
    "name_order",
    "one_of",
    "prepare",
    "probe",
    "rows_within",
    "uuid7",
]
