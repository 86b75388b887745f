"""The way of an event out: readers at any cursor, streams and how their bytes leave, and what was received."""

from chatapp.receiving import history
from chatapp.receiving.carriers import SOCKET
from chatapp.receiving.carriers import Connection
from chatapp.receiving.carriers import Detached
from chatapp.receiving.carriers import Pieces
from chatapp.receiving.carriers import Sockets
from chatapp.receiving.catch_up import CatchUp
from chatapp.receiving.closing import closing
from chatapp.receiving.durable_room import DurableRoom
from chatapp.receiving.durable_room import items
from chatapp.receiving.durable_room import items_document
from chatapp.receiving.durable_room import no_signals
from chatapp.receiving.durable_text import DurableText
from chatapp.receiving.durable_text import GrowingText
from chatapp.receiving.durable_text import grows
from chatapp.receiving.feed import Feed
from chatapp.receiving.growing_now import GrowingNow
from chatapp.receiving.places import Places
from chatapp.receiving.poll import poll_document
from chatapp.receiving.poll import wait_for_events
from chatapp.receiving.poll_sessions import PollSessions
from chatapp.receiving.read_rate import POLL_UNITS
from chatapp.receiving.read_rate import ReadRate
from chatapp.receiving.reader import Reader
from chatapp.receiving.receipts import Receipts
from chatapp.receiving.receiving_log import Request
from chatapp.receiving.room_receipts import RoomReceipts
from chatapp.receiving.signals import Signals
from chatapp.receiving.stream import WRITE_TIMEOUT_S
from chatapp.receiving.stream import Stream
from chatapp.receiving.wanted import Wanted

__all__ = [
    "POLL_UNITS",
    "SOCKET",
    "WRITE_TIMEOUT_S",
    "CatchUp",
    "Connection",
    "Detached",
    "DurableRoom",
    "DurableText",
    "Feed",
    "GrowingNow",
    "GrowingText",
    "Pieces",
    "Places",
    "PollSessions",
    "ReadRate",
    "Reader",
    "Receipts",
    "Request",
    "RoomReceipts",
    "Signals",
    "Sockets",
    "Stream",
    "Wanted",
    "closing",
    "grows",
    "history",
    "items",
    "items_document",
    "no_signals",
    "poll_document",
    "wait_for_events",
]
