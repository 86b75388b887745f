"""An answer that does not come in time: as the address has its errors, and by the view itself where it can say more."""

import time
from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask
from gevent.event import Event

from chatapp.errors import ChatError
from chatapp.errors import Unavailable
from chatapp.web import deadline
from chatapp.web.answers import Answer
from chatapp.web.deadline import Deadline
from chatapp.web.deadline import in_time

SHORT_S = 0.02


def never() -> str:
    Event().wait()
    return "never"


def refusal(path: str, error: ChatError) -> Answer:
    return Answer(error.status, f"{path}: {error.code}".encode(), ())


def answer_at(path: str) -> tuple[str, bytes]:
    statuses: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return [never().encode()]

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path}
    body = Deadline(app, refusal)(environ, lambda status, headers: statuses.append(status))
    return statuses[0], b"".join(body)


def test_each_address_says_it_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ANSWER_SECONDS", SHORT_S)
    assert answer_at("/lite") == ("503 Service Unavailable", b"/lite: unavailable")
    assert answer_at("/api/v1/rooms") == ("503 Service Unavailable", b"/api/v1/rooms: unavailable")


def test_a_view_is_told_before_it_is_given_up() -> None:
    before_s = time.monotonic()
    ends = {deadline.ENDS: before_s + deadline.TO_SAY_SECONDS + SHORT_S}
    with Flask(__name__).test_request_context(environ_overrides=ends), pytest.raises(Unavailable):
        in_time(never)()
    assert time.monotonic() < ends[deadline.ENDS]


def test_a_view_that_answers_is_left_alone() -> None:
    ends = {deadline.ENDS: time.monotonic() + deadline.ANSWER_SECONDS}
    with Flask(__name__).test_request_context(environ_overrides=ends):
        assert in_time(lambda: "in time")() == "in time"
