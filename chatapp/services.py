"""`Services`: everything that a worker runs, built once, and every wire between its parts."""

import logging
from typing import Any

from sqlalchemy import Engine

from chatapp.config import Config
from chatapp.errors import RedisAway
from chatapp.eventlog import Backlog
from chatapp.eventlog import Hub
from chatapp.eventlog import KeptEvents
from chatapp.eventlog import KeptLog
from chatapp.eventlog import LiveLog
from chatapp.eventlog import LogOwner
from chatapp.eventlog import Outbox
from chatapp.eventlog import Tail
from chatapp.keeping import PRUNED
from chatapp.keeping import RegularPruning
from chatapp.people import DeletedRooms
from chatapp.people import Hosts
from chatapp.people import KnownRooms
from chatapp.people import LastSeen
from chatapp.people import Members
from chatapp.people import Online
from chatapp.people import Presence
from chatapp.people import ReadReceipts
from chatapp.people import Rooms
from chatapp.people import Sessions
from chatapp.people import Typing
from chatapp.receiving import CatchUp
from chatapp.receiving import Detached
from chatapp.receiving import Feed
from chatapp.receiving import GrowingNow
from chatapp.receiving import Places
from chatapp.receiving import PollSessions
from chatapp.receiving import ReadRate
from chatapp.receiving import Receipts
from chatapp.receiving import RoomReceipts
from chatapp.receiving import Signals
from chatapp.receiving import Sockets
from chatapp.sending import Admission
from chatapp.sending import Appends
from chatapp.sending import Changes
from chatapp.sending import Committer
from chatapp.sending import GrownText
from chatapp.sending import Messaging
from chatapp.sending import Rate
from chatapp.storage import Database
from chatapp.storage import RedisLink
from chatapp.wire import Cursor

log = logging.getLogger(__name__)


class Services:
    """Building connects to no server; `start` does, in the process that serves."""

    def __init__(self, config: Config, engine: Engine) -> None:
        self.config = config
        self._build_log(config, engine)
        self._build_people(config)
        self._build_sending(config)
        self._build_receiving(config)
        self._connect()
        self._parts = (
            self.hosts,
            self.log_owner,
            self.tail,
            self.outbox,
            self.deleted_rooms,
            self.pruning,
            self.grown_text,
            self.last_seen,
            self.presence,
            self.growing_now,
            self.room_receipts,
            self.receipts,
            self.places,
            self.poll_sessions,
            self.sockets,
            self.detached,
        )

    def start(self) -> None:
        """Start what runs in the background. It waits for database and Redis, should they be away."""
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        """End the background work, and write down what was gathered; then let go of all connections."""
        for part in reversed(self._parts):
            try:
                part.stop()
            except Exception as error:
                log.warning("stopping %s: %s", type(part).__name__, error)
        self.link.close()
        self.database.close()

    def end_session(self, session_id: str) -> None:
        """Close what a signed-out session holds open, in every worker."""
        self._end_session(session_id)
        try:
            self.tail.tell({"type": "signed_out", "session": session_id})
        except RedisAway:
            log.warning("signed out while Redis is away: other workers close its streams when they end by themselves")

    def _build_log(self, config: Config, engine: Engine) -> None:
        self.database = Database(engine)
        self.link = RedisLink(config.redis_url)
        self.live_log = LiveLog(self.link, config.log_maxlen)
        self.kept_log = KeptLog(self.database, self.live_log)
        self.tail = Tail(self.live_log, self.kept_log, config.window, workers=config.workers)
        self.log_owner = LogOwner(self.database, self.live_log, self.kept_log, self.tail)
        self.outbox = Outbox(self.live_log, self.kept_log, self.link, self.tail)
        self.backlog = Backlog(self.database)
        self.kept_events = KeptEvents(self.database, self.tail)
        self.hub = Hub()

    def _build_people(self, config: Config) -> None:
        self.known_rooms = KnownRooms(self.database, self.tail)
        self.sessions = Sessions(config, self.database, self.outbox, self.tail)
        self.hosts = Hosts(config, self.database)
        self.online = Online(self.link, self.hub)
        self.last_seen = LastSeen(self.database)
        self.presence = Presence(self.hub, self.online, self.last_seen, self.live_log, self.database)
        self.members = Members(self.database, self.online)
        self.deleted_rooms = DeletedRooms(self.database, self.outbox)
        self.rooms = Rooms(self.database, self.outbox, self.known_rooms, self.members, self.online, self.deleted_rooms)
        self.read_receipts = ReadReceipts(self.database, self.live_log, self.kept_log, self.tail, self.known_rooms)
        self.typing = Typing(self.database, self.live_log, self.known_rooms)
        self.pruning = RegularPruning(self.database, self.live_log, self.link, config.keep_days)

    def _build_sending(self, config: Config) -> None:
        self.admission = Admission(
            self.link, Rate("send", config.rate_burst, config.rate_per_second), workers=config.workers
        )
        self.guest_rate = Rate("guests", config.guests_per_minute, config.guests_per_minute / 60)
        self.committer = Committer(self.database, self.outbox.publish, workers=config.workers)
        self.messaging = Messaging(self.database, self.known_rooms, self.admission, self.committer, self.outbox)
        self.grown_text = GrownText(self.live_log, self.database, self.outbox)
        self.appends = Appends(self.database, self.admission, self.grown_text.grew, workers=config.workers)
        self.changes = Changes(self.database, self.admission, self.outbox)

    def _build_receiving(self, config: Config) -> None:
        self.room_receipts = RoomReceipts(self.database, self.live_log)
        self.receipts = Receipts(self.database, self.tail, self.outbox, self.kept_log)
        self.places = Places(
            self.link,
            workers=config.workers,
            alone=config.embedded_redis and config.workers == 1,
            per_user=config.max_connections_per_user,
            per_worker=config.stream_places,
        )
        catch_up = CatchUp(self.database, self.kept_log, self.kept_events, self.tail, self.known_rooms)
        self.feed = Feed(self.hub, self.tail, self.log_owner, catch_up, self.known_rooms, self.places, self.receipts)
        self.growing_now = GrowingNow(self.database, self.tail)
        self.sockets = Sockets()
        self.poll_sessions = PollSessions()
        self.read_rate = ReadRate()
        self.detached = Detached(
            self.hub,
            self.tail,
            self.feed,
            self.growing_now,
            self.sockets,
            self.read_rate,
            config.heartbeat_seconds,
        )
        self.signals = Signals(self.hub, self.detached, self.growing_now)

    def _connect(self) -> None:
        """Who is told of what. What is remembered of rooms changes before anybody reads the news by it."""
        self.tail.on_read += [
            self.known_rooms.take,
            self.kept_events.take,
            self.growing_now.take,
            self.room_receipts.take,
            self.presence.take,
        ]
        self.tail.concerns = self.hub.concerns
        self.tail.on_news += [self.hub.wake, self.detached.give_or_step_down]
        self.database.on_connected.append(self.log_owner.connected)
        self.log_owner.on_lost.append(self.hub.rotate)
        self.tail.on_doubt.append(self.log_owner.look_again)
        self.hub.on_follow.append(self.presence.followed)
        self.tail.on_reset.append(self.detached.step_down_all)
        self.tail.on_break += [self.sessions.forget_all, self.known_rooms.forget_all, self.kept_events.forget_all]
        self.tail.on_break += [self.outbox.meet_again, self.hub.wake_all, self.presence.say_again]
        self.tail.on_break.append(self.growing_now.look_again)
        self.tail.on_signal.append(self._take_signal)
        self.tail.on_room_signal.append(self.growing_now.hear)
        self.growing_now.on_signal.append(self.signals.take)
        self.outbox.on_recorded += [self.receipts.recorded, self.room_receipts.recorded]
        self.receipts.on_moved.append(self.room_receipts.delivered)
        self.read_receipts.on_moved.append(self.room_receipts.read)

    def _take_signal(self, signal: dict[str, Any]) -> None:
        if signal.get("type") == "signed_out":
            self.sessions.forget(signal["session"])
            self._end_session(signal["session"])
        elif signal.get("type") == PRUNED:
            self.tail.window.forget(Cursor.parse(signal["until"]))
            self.kept_events.forget_all()

    def _end_session(self, session_id: str) -> None:
        self.hub.end_session(session_id)
        self.presence.end_session(session_id)
