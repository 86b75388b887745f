"""One record of the log never looks like two."""

import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.errors import ChatError
from chatapp.runtime import field_line
from chatapp.server.log_lines import TEXT
from chatapp.server.log_lines import JsonLines
from chatapp.server.log_lines import TextLines
from chatapp.server.log_lines import install
from chatapp.web.answers import Answer
from chatapp.web.problems import answered
from chatapp.web.shown import SHOWN_MAX
from chatapp.web.shown import shown

NASTY = "/a\n[2026-11-22] [ERROR] forged\r\x1b[31m\x85\u2028\u202e\x9b\ud800é"


def lines(record: logging.LogRecord) -> list[str]:
    return TextLines(logging.Formatter("[%(levelname)s] %(message)s")).format(record).splitlines()


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("chatapp", logging.ERROR, "x.py", 1, message, args, None)


def test_nothing_in_a_record_looks_like_another() -> None:
    first, *more = lines(record("%s failed", NASTY))
    assert first == "[ERROR] /a"
    assert more == [r"  [2026-11-22] [ERROR] forged\r\x1b[31m\x85\u2028\u202e\x9b\ud800é failed"]


def test_a_traceback_can_be_read() -> None:
    failed = record("it failed")
    try:
        raise ValueError(NASTY)
    except ValueError as error:
        failed.exc_info = (type(error), error, error.__traceback__)
    first, *more = lines(failed)
    assert (first, more[0]) == ("[ERROR] it failed", "  Traceback (most recent call last):")
    assert all(line.startswith("  ") and line.isprintable() for line in more)


@given(st.text())
def test_any_text(text: str) -> None:
    first, *more = lines(record("%s", text))
    assert first.startswith("[ERROR] ")
    assert all(line.startswith("  ") for line in more)


def test_it_is_installed_once() -> None:
    handler = logging.StreamHandler()
    install([handler], TEXT)
    installed = handler.formatter
    install([handler], TEXT)
    assert handler.formatter is installed


@given(st.text(max_size=1000))
def test_what_is_shown_of_a_client_is_short_and_plain(text: str) -> None:
    assert shown(text).isascii()
    assert shown(text).isprintable()
    assert len(shown(text)) <= SHOWN_MAX * len(r"\U0001f600") + 3


def test_a_defect_is_logged_in_one_line_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Answer:
        raise LookupError("here")

    assert answered(fail, "GE\nT", NASTY * 100).status == ChatError.status
    message = caplog.records[0].getMessage()
    assert message.startswith(r"GE\nT /a\n[2026-11-22] [ERROR] forged\r\x1b")
    assert message.isascii()
    assert len(message) < 2 * SHOWN_MAX * 4


@given(st.text(), st.text())
def test_any_text_is_one_line_of_json(text: str, value: str) -> None:
    said = record("%s", text)
    said.fields = {"status": 201, "route": value}
    line = JsonLines().format(said)
    assert line.isascii()
    assert line.isprintable()
    document = json.loads(line)
    assert (document["message"], document["route"], document["status"]) == (text, value, 201)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["time"])


def test_fields_stand_behind_the_text() -> None:
    said = record("request")
    said.fields = {"route": None, "status": 404}
    assert lines(said) == ["[ERROR] request route=- status=404"]


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def test_a_line_of_fields_is_written_as_any_other() -> None:
    log, kept = logging.getLogger("chatapp.test_log_lines"), _Kept()
    log.propagate = False
    log.addHandler(kept)
    fields = {"route": "/a/{b}", "seconds": 0.5}
    for level in (logging.WARNING, logging.INFO):
        log.setLevel(level)
        field_line.say(log, "request", fields)
        log.info("request", extra={"fields": fields})
    quick, slow = kept.records
    for form in (JsonLines(), TextLines(logging.Formatter("%(asctime)s [%(process)d] [%(levelname)s] %(message)s"))):
        said, wanted = (re.sub(r"\d\d[:.,\d]+(Z| )", "", form.format(one)) for one in (quick, slow))
        assert said == wanted
    assert abs(quick.created - slow.created) < 1
    assert abs(quick.msecs - quick.created % 1 * 1000) < 1


def test_a_line_in_json_is_ascii_and_whole_whatever_is_in_it() -> None:
    for value in (NASTY, "plain", "\x7f", 2**70, {1: object()}):
        said = record("said")
        said.fields = {"value": value}
        line = JsonLines().format(said)
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line)["message"] == "said"
