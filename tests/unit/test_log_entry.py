"""LogEntry: what the entries of the stream say, and which of them are none of this service's."""

import pytest

from chatapp.eventlog import log_entry
from chatapp.wire import Cursor

CREATED = {
    b"prev": b"5-0",
    b"number": b"7",
    b"type": b"message.created",
    b"room": b"3",
    b"target": b"",
    b"about": b"",
    b"message": b"the-id",
    b"body": b'{"room":"general","message":{"id":"the-id","cursor":null}}',
    b"uid": b"",
}


def flat(**changed: bytes | None) -> list[bytes]:
    given = {**CREATED, **{name.encode(): value for name, value in changed.items()}}
    return [part for name, value in given.items() if value is not None for part in (name, value)]


def test_a_message_is_what_it_is_by_its_own_id() -> None:
    [entry] = log_entry.read([(b"6-0", flat())])
    assert entry.row == ("the-id", 7, Cursor.parse("6-0"), 3)
    assert entry.prev == Cursor.parse("5-0")
    assert entry.event is not None
    assert (entry.event.type, entry.event.message_id) == ("message.created", "the-id")
    assert (entry.event.target, entry.event.about) == (None, None)
    assert entry.event.body["message"]["cursor"] == "6-0"


def test_each_names_the_one_before_it_wherever_a_page_begins() -> None:
    entries = log_entry.read([(b"6-0", flat()), (b"6-1", flat(prev=b"6-0")), (b"9-0", flat(prev=b"8-0"))])
    assert [str(entry.prev) for entry in entries] == ["5-0", "6-0", "8-0"]


def test_a_joining_is_what_its_own_name_says() -> None:
    [entry] = log_entry.read([(b"6-0", flat(type=b"member.joined", message=b"", about=b"ada", uid=b"own"))])
    assert (entry.uid, entry.event and entry.event.about) == ("own", "ada")


def test_an_earlier_version_did_not_say_what_a_row_is() -> None:
    before = flat(message=None, uid=None)
    joined = flat(message=None, uid=None, type=b"member.joined", body=b'{"room":"general"}')
    assert [entry.uid for entry in log_entry.read([(b"6-0", before), (b"6-1", joined)])] == ["the-id", "7"]


def test_where_the_log_was_raised_there_is_no_event() -> None:
    [entry] = log_entry.read([(b"6-0", [b"prev", b"5-0", b"type", b""])])
    assert (entry.event, entry.row, entry.prev) == (None, None, Cursor.parse("5-0"))


@pytest.mark.parametrize(
    "other",
    [
        [b"hello", b"world"],
        [b"prev", b"5-0"],
        flat(room=b"general"),
        flat(number=b"many"),
        flat(prev=b"before"),
        flat(about=b"\xff"),
        flat()[:-1],
        flat(message=None, uid=None, number=b"many", type=b"member.joined", body=b'{"room":"general"}'),
    ],
)
def test_what_others_wrote_there_names_no_predecessor(other: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    [entry] = log_entry.read([(b"6-0", other)])
    assert (entry.event, entry.prev) == (None, entry.cursor)
    assert "is not from this service" in caplog.text
