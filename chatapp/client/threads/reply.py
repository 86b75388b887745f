"""`Reply`: writes a reply that grows, from threads."""

import threading
from types import TracebackType
from typing import Self

from chatapp.client.errors import ChatError
from chatapp.client.growing_text import GrowingText
from chatapp.client.message import Message
from chatapp.client.threads.wire import Wire


class Reply:
    """`with client.reply(room) as reply: reply.write(…)`. A thread of its own appends what is written.

    After an exception it ends as it stands. After a kill -9 the service ends it, a minute after the last append.
    """

    def __init__(self, wire: Wire, growing: GrowingText) -> None:
        self._wire = wire
        self._growing = growing
        self._written = threading.Event()
        self._appender: threading.Thread | None = None
        self._trouble: ChatError | None = None

    @property
    def message(self) -> Message | None:
        """As it was last answered: at its begin, and at its end."""
        return self._growing.message

    @property
    def text(self) -> str:
        """All that was written so far."""
        return self._growing.text

    def begin(self) -> Self:
        """What `with` does. Raises Away, Refused."""
        self._wire.run(self._growing.beginning())
        self._appender = threading.Thread(target=self._append, name="chatapp-reply", daemon=True)
        self._appender.start()
        return self

    def write(self, text: str) -> None:
        """Returns at once; it is appended within about 0.1 s. Raises what an earlier append met: Away, Refused."""
        if self._trouble is not None:
            raise self._trouble
        self._growing.write(text)
        self._written.set()

    def finish(self, body: str | None = None) -> Message:
        """Returns when the whole is stored. A body stands instead of what was written.

        Raises Away, Refused, ReplyEnded.
        """
        self._growing.finish_soon()
        self._written.set()
        if self._appender is not None:
            self._appender.join()
        return self._wire.run(self._growing.finishing(body))

    def _append(self) -> None:
        try:
            self._wire.run(self._growing.appending(), self._written)
        except ChatError as error:
            self._trouble = error

    def __enter__(self) -> Self:
        return self.begin()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._growing.finished:
            return
        try:
            self.finish()
        except ChatError:
            # What went wrong first is what the caller has to know.
            if error is None:
                raise
