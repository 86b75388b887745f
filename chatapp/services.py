"""`Services`: everything that a worker runs, built once and kept in `app.extensions["chatapp"]`."""

import logging
from typing import Any

from flask import Flask
from flask import current_app
from sqlalchemy import Engine

from chatapp.admission import Admission
from chatapp.admission import Rate
from chatapp.committer import Committer
from chatapp.config import Config
from chatapp.connections import Connections
from chatapp.database import Database
from chatapp.detached import Detached
from chatapp.event_log import EventLog
from chatapp.feed import Feed
from chatapp.hub import Hub
from chatapp.known_rooms import KnownRooms
from chatapp.messaging import Messaging
from chatapp.outbox import Outbox
from chatapp.peers import Peers
from chatapp.positions import Positions
from chatapp.receipts import Receipts
from chatapp.redis_link import RedisAway
from chatapp.redis_link import RedisLink
from chatapp.rooms import Rooms
from chatapp.sessions import Sessions

log = logging.getLogger(__name__)

NAME = "chatapp"


class Services:
    """Building connects to nothing; `start` does, in the process that serves."""

    def __init__(self, config: Config, engine: Engine) -> None:
        self.config = config
        self.database = Database(engine)
        self.link = RedisLink(config.redis_url)
        self.event_log = EventLog(self.link, config.log_maxlen)
        self.positions = Positions(self.database, self.event_log)
        self.hub = Hub(self.event_log, self.positions, config.window)
        self.outbox = Outbox(self.database, self.event_log, self.link, self.hub, self.positions)
        self.committer = Committer(self.database, self.outbox.publish)
        self.receipts = Receipts(self.database, self.hub, self.outbox, self.positions)
        self.admission = Admission(self.link, Rate("send", config.rate_burst, config.rate_per_second))
        self.guest_rate = Rate("guests", config.guests_per_minute, config.guests_per_minute / 60)
        self.known_rooms = KnownRooms(self.database, self.hub)
        self.connections = Connections(
            self.link,
            workers=config.workers,
            per_user=config.max_connections_per_user,
            per_worker=config.stream_places,
        )
        self.feed = Feed(self.hub, self.database, self.positions, self.known_rooms, self.connections, self.receipts)
        self.peers = Peers()
        self.detached = Detached(self.hub, self.feed, self.peers, config.heartbeat_seconds)
        self.sessions = Sessions(config, self.database, self.outbox, self.hub)
        self.rooms = Rooms(self.database, self.outbox, self.known_rooms)
        self.messaging = Messaging(self.database, self.known_rooms, self.admission, self.committer, self.outbox)
        self.hub.on_signal.append(self._on_signal)
        self._parts = (self.hub, self.outbox, self.receipts, self.connections, self.peers, self.detached)

    def start(self) -> None:
        """Start what runs in the background. Raises Unavailable without a database."""
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        """End the background work, what was gathered written down; then let go of all connections."""
        for part in reversed(self._parts):
            try:
                part.stop()
            except Exception as error:
                log.warning("stopping %s: %s", type(part).__name__, error)
        self.link.close()
        self.database.close()

    def end_session(self, session_id: str) -> None:
        """Close what a signed-out session holds open, in every worker."""
        self.hub.end_session(session_id)
        try:
            self.hub.tell({"type": "signed_out", "session": session_id})
        except RedisAway:
            log.warning("signed out while Redis is away: other workers close its streams when they end by themselves")

    def _on_signal(self, signal: dict[str, Any]) -> None:
        if signal.get("type") == "signed_out":
            self.sessions.forget(signal["session"])
            self.hub.end_session(signal["session"])


def services(app: Flask | None = None) -> Services:
    """The services of this application."""
    found: Services = (app or current_app).extensions[NAME]
    return found
