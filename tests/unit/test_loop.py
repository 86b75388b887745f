"""Loop: what fails is tried again, and the log says of each cause once what an operator needs."""

import logging

import pytest
from gevent.event import Event as Flag
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import SQLAlchemyError

from chatapp.errors import Unavailable
from chatapp.runtime import Loop


@pytest.mark.parametrize(
    ("error", "traceback"),
    [
        (Unavailable("the database cannot be used now"), False),
        (IntegrityError("UPDATE events", {}, Exception("refused here")), False),
        (KeyError("ours"), True),
    ],
)
def test_a_dependency_is_one_line_and_a_defect_shows_where(
    error: Exception, traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    recovered = Flag()
    failures = [error, error]

    def step() -> None:
        if failures:
            raise failures.pop()
        recovered.set()

    loop = Loop("outbox", step, interval_s=60.0, refused_by=SQLAlchemyError)
    with caplog.at_level(logging.WARNING, "chatapp.runtime.loop"):
        loop.start()
        assert recovered.wait(10)
        loop.stop()
    [record] = caplog.records
    assert bool(record.exc_info) is traceback
    assert record.getMessage().startswith(f"outbox: {type(error).__name__}: ")
    assert "\n" not in record.getMessage()
