"""`GrownText`: tells rooms what was added to their messages, some at a time, and ends what nobody goes on with."""

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import exists
from sqlalchemy import or_

from chatapp.errors import RedisAway
from chatapp.eventlog import LiveLog
from chatapp.eventlog import Outbox
from chatapp.eventlog import growth
from chatapp.runtime import Loop
from chatapp.sending.appends import Grew
from chatapp.storage import Database
from chatapp.storage import Growth
from chatapp.storage import Membership
from chatapp.storage import Session
from chatapp.storage import ago
from chatapp.wire import Signal

# At most twenty a second of a message, as long as one worker takes its appends.
TELL_PAUSE_S = 0.05
# Without an append for this long, it ends.
IDLE_S = 60.0
LOOK_S = 5.0
ENDED_AT_ONCE = 100


BY_MEMBER = exists().where(Membership.room_id == Growth.room_id, Membership.user_id == Growth.sender_id)
SIGNED_OUT = exists().where(Session.token_hash == Growth.session_id, Session.signed_out_at.is_not(None))


class GrownText:
    def __init__(self, live_log: LiveLog, database: Database, outbox: Outbox) -> None:
        self._live_log = live_log
        self._database = database
        self._outbox = outbox
        self._untold: list[Grew] = []
        self._telling = Loop("grown text", self._tell, interval_s=60.0, pause_s=TELL_PAUSE_S)
        self._ending = Loop("idle replies", self._end_idle, interval_s=LOOK_S)

    def start(self) -> None:
        self._telling.start()
        self._ending.start()

    def stop(self) -> None:
        self._ending.stop()
        self._telling.stop()
        with suppress(RedisAway):
            self._tell()

    def grew(self, news: Sequence[Grew]) -> None:
        self._untold += news
        self._telling.wake()

    def _tell(self) -> None:
        """What follows on one another is one signal. Nobody waits for Redis: whoever misses one loads the message."""
        untold, self._untold = self._untold, []
        signals: dict[tuple[str, int], Signal] = {}
        for one in untold:
            append = one.append
            before = signals.pop((append.message_id, append.at), None)
            body = {"room": one.room, "messageId": append.message_id, "at": append.at, "text": append.text}
            if before is not None:
                body |= {"at": before.body["at"], "text": before.body["text"] + append.text}
            signals[append.message_id, append.end] = Signal(growth.GREW, one.room_id, body)
        if signals:
            self._live_log.signal_all([signal.packed() for signal in signals.values()])

    def _end_idle(self) -> None:
        over = or_(Growth.appended_at < ago(IDLE_S), ~BY_MEMBER, SIGNED_OUT)
        if self._database.read(lambda tx: growth.any_of(tx, over)):
            ended = self._database.write(lambda tx: growth.end_those(tx, over, most=ENDED_AT_ONCE))
            self._outbox.wake()
            if ended == ENDED_AT_ONCE:
                self._ending.wake()
