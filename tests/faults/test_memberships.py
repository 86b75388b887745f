"""What is known of a membership while its changes are under way."""

import pytest

from tests.faults.history import Record
from tests.faults.memberships import Memberships


def change(mono: float, type_: str, change: str, actor: str = "lab") -> Record:
    return {"mono": mono, "actor": actor, "type": type_, "user": "roy", "room": "den", "change": change}


JOIN = [change(10.0, "invoke", "joined"), change(11.0, "ok", "joined")]
LEAVE = [change(20.0, "invoke", "left"), change(21.0, "ok", "left")]
BACK = [change(21.5, "invoke", "joined"), change(21.6, "ok", "joined")]
LEAVE_UNANSWERED = [change(20.0, "invoke", "left"), change(21.0, "info", "left")]
JOIN_REFUSED = [change(30.0, "invoke", "joined"), change(31.0, "fail", "joined")]
JOIN_MEANWHILE = [
    change(20.0, "invoke", "left"),
    change(20.5, "invoke", "joined", "bob"),
    change(20.7, "ok", "joined", "bob"),
    change(21.0, "ok", "left"),
]


@pytest.mark.parametrize(
    ("records", "at", "may"),
    [
        ([], 1.0, False),
        (JOIN, 9.9, False),
        (JOIN, 10.1, True),
        (JOIN, 1000.0, True),
        ([*JOIN, *LEAVE], 21.9, True),
        ([*JOIN, *LEAVE], 22.1, False),
        ([*JOIN, *LEAVE, *BACK], 22.1, True),
        ([*JOIN, *LEAVE, *JOIN_REFUSED], 40.0, False),
        ([*JOIN, *LEAVE_UNANSWERED], 40.0, True),
        ([*JOIN, *JOIN_MEANWHILE], 40.0, True),
        (LEAVE, 1.0, True),
        (LEAVE, 40.0, False),
    ],
)
def test_who_may_be_told(records: list[Record], at: float, may: bool) -> None:
    assert Memberships(records, {"den"}).may_be_told("roy", "den", at) is may
    assert Memberships(records, set()).may_be_told("roy", "den", at)


@pytest.mark.parametrize(
    ("records", "start", "end", "sure"),
    [
        ([], 1.0, 2.0, True),
        (JOIN, 10.5, 12.0, False),
        (JOIN, 11.5, 1000.0, True),
        ([*JOIN, *LEAVE], 11.5, 19.0, True),
        ([*JOIN, *LEAVE], 11.5, 20.5, False),
        ([*JOIN, *LEAVE, *BACK], 11.5, 30.0, False),
        ([*JOIN, *LEAVE, *BACK], 22.0, 30.0, True),
        ([*JOIN, *LEAVE_UNANSWERED], 22.0, 30.0, False),
        ([*JOIN, *JOIN_MEANWHILE], 22.0, 30.0, False),
        (LEAVE, 1.0, 19.0, True),
    ],
)
def test_who_was_in_for_sure(records: list[Record], start: float, end: float, sure: bool) -> None:
    assert Memberships(records, {"den"}).surely_in("roy", "den", start, end) is sure
