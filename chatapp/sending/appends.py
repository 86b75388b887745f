"""`Appends`: what is added to messages that grow, through a group commit like sends."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from typing import NoReturn
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import exists
from sqlalchemy import insert
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import Forbidden
from chatapp.errors import InvalidMessage
from chatapp.errors import NotFound
from chatapp.errors import OutOfStep
from chatapp.errors import Unavailable
from chatapp.eventlog import growth
from chatapp.people import Identity
from chatapp.people import access
from chatapp.runtime import Gather
from chatapp.runtime import Recent
from chatapp.runtime import pause_s
from chatapp.sending.admission import Admission
from chatapp.sending.committer import ANSWER_TIMEOUT_S
from chatapp.sending.committer import BATCH_MAX
from chatapp.sending.committer import PAUSE_MAX_S
from chatapp.sending.committer import PAUSE_S
from chatapp.sending.committer import QUEUE_MAX
from chatapp.sending.rate import APPENDS
from chatapp.storage import Database
from chatapp.storage import Growth
from chatapp.storage import Membership
from chatapp.storage import Piece
from chatapp.storage import Prepared
from chatapp.storage import Rows
from chatapp.storage import ago
from chatapp.wire import rules

ROOMS_REMEMBERED = 10_000

_GROWTHS, _PIECES = cast(Table, Growth.__table__), cast(Table, Piece.__table__)
# Only where it stands at this length: of two who append at the same place, one does. And only by a member.
GROW = Prepared(
    update(_GROWTHS)
    .where(
        _GROWTHS.c.message_id == bindparam("message"),
        _GROWTHS.c.sender_id == bindparam("sender"),
        _GROWTHS.c.length == bindparam("begin"),
        exists().where(Membership.room_id == _GROWTHS.c.room_id, Membership.user_id == _GROWTHS.c.sender_id),
    )
    .values(length=bindparam("end"), appended_at=ago())
    .returning(_GROWTHS.c.room_id, _GROWTHS.c.room)
)
INSERT_PIECE = Prepared(
    insert(_PIECES).values(message_id=bindparam("message"), at=bindparam("begin"), text=bindparam("piece"))
)


@dataclass(frozen=True, slots=True)
class Append:
    """`text` at code point `at` of a message."""

    message_id: str
    sender_id: str
    at: int
    text: str

    @property
    def end(self) -> int:
        return self.at + len(self.text)


@dataclass(frozen=True, slots=True)
class Grew:
    """An append that is committed, and where."""

    append: Append
    room_id: int
    room: str


class Appends:
    def __init__(
        self, database: Database, admission: Admission, tell: Callable[[list[Grew]], None], *, workers: int = 1
    ) -> None:
        self._database = database
        self._admission = admission
        # Called after each commit.
        self._tell = tell
        # Message -> its room.
        self._rooms: Recent[str, str] = Recent(ROOMS_REMEMBERED)
        self._gather = Gather(
            self._commit,
            most=BATCH_MAX,
            timeout_s=ANSWER_TIMEOUT_S,
            pause_s=pause_s(workers, each_s=PAUSE_S, most_s=PAUSE_MAX_S),
        )

    def append(self, who: Identity, message_id: str, at: int, text: str) -> int:
        """Add to a message that grows. Returns its length, once it is durable; the same again changes nothing.

        Raises NotFound, Forbidden, InvalidMessage, OutOfStep, RateLimited, and Unavailable: the outcome is open.
        """
        self._admission.charge(APPENDS, who.id)
        append = Append(access.plain_id(message_id), who.id, at, text)
        if len(self._gather) >= QUEUE_MAX:
            raise Unavailable("too much is waiting to be stored", retry_after_s=2.0)
        self._check_claim(who, append.message_id)
        if append.end > rules.GROWN_MAX_CODE_POINTS:
            self._refuse_length(who, append)
        try:
            grew = self._gather.ask(append)
        except TimeoutError:
            raise Unavailable("the text could not be stored in time") from None
        return append.end if grew else self._database.read(lambda tx: _length(tx, who, append))

    def _refuse_length(self, who: Identity, append: Append) -> NoReturn:
        """What is too long at the end of its message is wrong; anywhere else it is out of step. Raises NotFound,
        Forbidden, OutOfStep, InvalidMessage."""
        try:
            self._database.read(lambda tx: _length(tx, who, append))
        except OutOfStep as refused:
            if refused.length != append.at or not refused.growing:
                raise
        raise InvalidMessage(errors={"text": [f"The message would be longer than {rules.GROWN_MAX_CODE_POINTS}."]})

    def _check_claim(self, who: Identity, message_id: str) -> None:
        """A host's token may name fewer rooms than its user belongs to. Raises NotFound."""
        if who.rooms is None:
            return
        room = self._rooms.get(message_id)
        if room is None:
            self._rooms[message_id] = self._database.read(
                lambda tx: access.readable_message(tx, who, message_id).room.called
            )
        elif not who.knows(room):
            raise NotFound

    def _commit(self, appends: list[Append]) -> list[bool | Exception]:
        found = self._database.write_rows(partial(_write, appends=appends))
        self._tell([one for one in found if one is not None])
        return [one is not None for one in found]


def _write(rows: Rows, appends: list[Append]) -> list[Grew | None]:
    """Those of a message in the order in which they came; the messages in one order, so that two workers never wait for
    one another."""
    order = sorted(range(len(appends)), key=lambda at: appends[at].message_id)
    ordered = [appends[at] for at in order]
    found = rows.ask_each(GROW, [{**_given(one), "sender": one.sender_id, "end": one.end} for one in ordered])
    grew = [Grew(one, *row[0]) if row else None for one, row in zip(ordered, found, strict=True)]
    if any(grew):
        rows.run(INSERT_PIECE, [{**_given(one.append), "piece": one.append.text} for one in grew if one is not None])
    outcomes: list[Grew | None] = [None] * len(appends)
    for at, outcome in zip(order, grew, strict=True):
        outcomes[at] = outcome
    return outcomes


def _given(append: Append) -> dict[str, Any]:
    return {"message": append.message_id, "begin": append.at}


def _length(tx: Transaction, who: Identity, append: Append) -> int:
    """How long the message is, in which the text stands already. Raises NotFound, Forbidden, OutOfStep."""
    message = access.readable_message(tx, who, append.message_id)
    if message.sender_id != who.id:
        raise Forbidden("Only the sender may add to a message.")
    growth.complete(tx, [message])
    text = message.text
    if text[append.at : append.end] != append.text:
        raise OutOfStep(length=len(text), growing=message.growing)
    return len(text)
