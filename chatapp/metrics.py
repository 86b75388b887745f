"""What is counted and measured, by the names that `/metrics` gives it. Any part may count; the route adds up.

Each worker counts in files of its own, mapped into its memory, in the folder that PROMETHEUS_MULTIPROC_DIR names: what
it counted stays when it is killed. Count in the loop only, never in a native thread: nothing guards the files.
"""

from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import Gauge
from prometheus_client import Histogram

from chatapp import prometheus_client_ties
from chatapp.errors import codes

prometheus_client_ties.count_in_one_greenlet()

# What this process alone counted. The route reads the files of all.
OWN = CollectorRegistry()

# The two ways to receive, by the last word of their addresses.
STREAM, POLL = "stream", "poll"

connections = Gauge(
    "chat_connections",
    "Streams and polls held open now.",
    ["transport"],
    registry=OWN,
    multiprocess_mode="livesum",
)
sends = Counter(
    "chat_sends",
    "Sends, one by one and in batches, by what became of them: created, replayed, or the code of the refusal.",
    ["outcome"],
    registry=OWN,
)
send_seconds = Histogram(
    "chat_send_seconds",
    "Seconds that it took to accept a message sent by itself, cursor included.",
    registry=OWN,
    # The contract answers within 10 s, and waits up to 0.2 s for the cursor.
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
events = Counter("chat_events", "Events published into the log.", ["type"], registry=OWN)
deliveries = Counter("chat_deliveries", "Events given to streams and polls.", ["transport"], registry=OWN)
catch_up_events = Counter(
    "chat_catch_up_events",
    "Events that a reader behind the newest found, by where: the worker's window, or the database.",
    ["source"],
    registry=OWN,
)
tail_lag_seconds = Gauge(
    "chat_tail_lag_seconds",
    "How far the slowest worker is behind the live log.",
    registry=OWN,
    multiprocess_mode="livemax",
)
commit_rows = Histogram(
    "chat_commit_rows",
    "Messages stored by one transaction.",
    registry=OWN,
    buckets=(1, 2, 5, 10, 20, 50, 100, 200),
)
refusals = Counter("chat_refusals", "Answers that are problems, and streams that were refused.", ["code"], registry=OWN)
streams_ended = Counter("chat_streams_ended", "Streams that ended.", ["reason"], registry=OWN)

from_window = catch_up_events.labels("window")
from_database = catch_up_events.labels("database")
delivered_by_stream = deliveries.labels(STREAM)
delivered_by_poll = deliveries.labels(POLL)
# By transport. Looking one up by its labels takes longer than counting.
held_open = {STREAM: connections.labels(STREAM), POLL: connections.labels(POLL)}
created = sends.labels("created")
replayed = sends.labels("replayed")


def begin() -> None:
    """Call it in a worker before the first count: the files of the master, whose copy it is, are not its own."""
    prometheus_client_ties.count_here(created)


# So that the first refusal is a rise, and not the beginning of a series.
for code in codes():
    refusals.labels(code)
