"""Greenlets, threads and time: what the service runs on. Knows nothing of chat."""

from chatapp.runtime import field_line
from chatapp.runtime import gevent_ties
from chatapp.runtime.clock import now_ms
from chatapp.runtime.clock import timestamp
from chatapp.runtime.clock import utc_now
from chatapp.runtime.file_limit import file_limit
from chatapp.runtime.file_limit import raise_file_limit
from chatapp.runtime.gather import Gather
from chatapp.runtime.gather import pause_s
from chatapp.runtime.loop import Loop
from chatapp.runtime.loop import later
from chatapp.runtime.metrics_folder import MetricsFolder
from chatapp.runtime.metrics_folder import locked
from chatapp.runtime.recent import Recent
from chatapp.runtime.threads import Threads
from chatapp.runtime.threads import native_lock
from chatapp.runtime.timer_wheel import TimerWheel

__all__ = [
    "Gather",
    "Loop",
    "MetricsFolder",
    "Recent",
    "Threads",
    "TimerWheel",
    "field_line",
    "file_limit",
    "gevent_ties",
    "later",
    "locked",
    "native_lock",
    "now_ms",
    "pause_s",
    "raise_file_limit",
    "timestamp",
    "utc_now",
]
