"""`Listener`: the events of a listening, for a `for` loop."""

from types import TracebackType
from typing import Self

from chatapp.client.event import Event
from chatapp.client.listening import Listening
from chatapp.client.step import Step
from chatapp.client.threads.wire import Wire


class Listener:
    """Asking for the next event says that the one before was handled: then its cursor is kept."""

    def __init__(self, wire: Wire, listening: Listening) -> None:
        self._wire = wire
        self._listening = listening
        self._flow = listening.flow()
        self._step: Step | Event | None = None
        self._answer = wire.open_answer()

    @property
    def cursor(self) -> str | None:
        """Up to where everything was handled; None before the service was heard."""
        return self._listening.cursor

    @property
    def transport(self) -> str:
        """`stream` or `poll`."""
        return self._listening.transport

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        """Waits for as long as it takes. Raises Refused, Unauthenticated, Closed, Away (see `Client.listen`)."""
        if self._step is None:
            self._step = next(self._flow)
        # Where a step is interrupted, it is done again by whoever asks next.
        while not isinstance(self._step, Event):
            self._step = self._wire.perform(self._step, answer=self._answer).resume(self._flow)
        event, self._step = self._step, None
        return event

    def close(self) -> None:
        """From another thread: whoever waits for the next event gets Closed."""
        self._wire.shut(self._answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
