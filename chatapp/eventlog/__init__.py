"""One event log, kept twice: live in Redis, for good in the database. The tail, the outbox, and who is woken."""

from chatapp.eventlog import bodies
from chatapp.eventlog import growth
from chatapp.eventlog import kept_log
from chatapp.eventlog import send_outcomes
from chatapp.eventlog.backlog import Backlog
from chatapp.eventlog.delivered_counts import COVERING
from chatapp.eventlog.delivered_counts import Covered
from chatapp.eventlog.delivered_counts import delivered_to
from chatapp.eventlog.hub import Hub
from chatapp.eventlog.kept_events import KeptEvents
from chatapp.eventlog.kept_log import ENDS
from chatapp.eventlog.kept_log import UNRECORDED_MAX
from chatapp.eventlog.kept_log import KeptLog
from chatapp.eventlog.kept_log import Place
from chatapp.eventlog.kept_log import Waiting
from chatapp.eventlog.kept_log import is_move
from chatapp.eventlog.listener import NO_ROOMS
from chatapp.eventlog.listener import Followers
from chatapp.eventlog.listener import Listener
from chatapp.eventlog.listener import Waiter
from chatapp.eventlog.live_log import EVENTS
from chatapp.eventlog.live_log import LOG_NAME
from chatapp.eventlog.live_log import SIGNALS
from chatapp.eventlog.live_log import LiveLog
from chatapp.eventlog.log_owner import AHEAD_MAX_MS
from chatapp.eventlog.log_owner import LogOwner
from chatapp.eventlog.outbox import CURSOR_WAIT_S
from chatapp.eventlog.outbox import Outbox
from chatapp.eventlog.read_places import move_read
from chatapp.eventlog.tail import Tail

__all__ = [
    "AHEAD_MAX_MS",
    "COVERING",
    "CURSOR_WAIT_S",
    "ENDS",
    "EVENTS",
    "LOG_NAME",
    "NO_ROOMS",
    "SIGNALS",
    "UNRECORDED_MAX",
    "Backlog",
    "Covered",
    "Followers",
    "Hub",
    "KeptEvents",
    "KeptLog",
    "Listener",
    "LiveLog",
    "LogOwner",
    "Outbox",
    "Place",
    "Tail",
    "Waiter",
    "Waiting",
    "bodies",
    "delivered_to",
    "growth",
    "is_move",
    "kept_log",
    "move_read",
    "send_outcomes",
]
