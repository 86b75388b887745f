"""`Wire`: performs the steps of flows, each flow in the thread that asks."""

import threading
from typing import TypeVar
from weakref import WeakSet

import httpx

from chatapp.client.answer import Answer
from chatapp.client.errors import Closed
from chatapp.client.http_request import no_answer
from chatapp.client.http_request import no_cookies
from chatapp.client.http_request import request_of
from chatapp.client.session import Session
from chatapp.client.step import Call
from chatapp.client.step import Flow
from chatapp.client.step import Idle
from chatapp.client.step import Open
from chatapp.client.step import Outcome
from chatapp.client.step import Pause
from chatapp.client.step import Step
from chatapp.client.threads.open_answer import OpenAnswer

T = TypeVar("T")


class Wire:
    """May be used by many threads at once. After `close` every flow ends with Closed."""

    def __init__(self, base_url: str, session: Session) -> None:
        self._http = httpx.Client(base_url=base_url, cookies=no_cookies())
        self._session = session
        self._opening = threading.Lock()
        self._closed = threading.Event()
        self._open: WeakSet[OpenAnswer] = WeakSet()

    def run(self, flow: Flow[T], woken: threading.Event | None = None) -> T:
        """To its end. `woken` ends what is Idle."""
        try:
            step = next(flow)
            while True:
                step = self.perform(step, woken).resume(flow)
        except StopIteration as end:
            result: T = end.value
            return result

    def perform(self, step: Step, woken: threading.Event | None = None, answer: OpenAnswer | None = None) -> Outcome:
        """`answer` is where Open and Read belong."""
        try:
            outcome = Outcome(self._perform(step, woken, answer))
        except Exception as error:
            outcome = Outcome(error=error)
        # What comes after the end is not taken any more: the outbox sends it again next time.
        return Outcome(error=Closed()) if self._closed.is_set() else outcome

    def open_answer(self) -> OpenAnswer:
        """For one flow that opens answers piece by piece."""
        answer = OpenAnswer(self._http)
        self._open.add(answer)
        return answer

    def shut(self, answer: OpenAnswer) -> None:
        answer.shut()
        self._open.discard(answer)

    def open_session(self) -> None:
        """Raises NoAnswer, Refused, OutboxOfAnother."""
        with self._opening:
            if not self._session.is_open:
                self.run(self._session.opening())

    def close(self) -> None:
        self._closed.set()
        for answer in list(self._open):
            self.shut(answer)
        self._http.close()

    def _perform(self, step: Step, woken: threading.Event | None, answer: OpenAnswer | None) -> object:
        if self._closed.is_set():
            raise Closed
        if isinstance(step, Call):
            return self._call(step)
        if isinstance(step, Idle):
            assert woken is not None
            woken.wait(step.seconds)
            woken.clear()
            return None
        if isinstance(step, Pause):
            ends = self._closed if answer is None else answer.is_shut
            ends.wait(step.seconds)
            return None
        assert answer is not None
        if isinstance(step, Open):
            return answer.open(request_of(self._http, step.call, self._token(step.call)), step.within_s)
        return answer.read(step.within_s)

    def _call(self, call: Call) -> Answer:
        request = request_of(self._http, call, self._token(call))
        try:
            response = self._http.send(request)
        except httpx.HTTPError as error:
            raise no_answer(error) from None
        return Answer(response.status_code, response.headers, response.content)

    def _token(self, call: Call) -> str | None:
        if call.opens_session:
            return call.token
        if not self._session.is_open:
            self.open_session()
        return self._session.token
