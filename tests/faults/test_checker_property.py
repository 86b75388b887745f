"""In any honest history, if one shown message is lost, repeated or moved, the checker says so."""

from typing import Any

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.faults.checker import check
from tests.faults.history import Record
from tests.faults.honest import Honest
from tests.faults.planting import add
from tests.faults.planting import exchange
from tests.faults.planting import remove
from tests.faults.planting import those

READERS = ["rae", "ray", "roy"]

actions = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob"]), st.sampled_from(["hall", "den"]), st.sampled_from(["", "?", "!", "ack"])
    ),
    min_size=1,
    max_size=25,
)


def random_story(steps: list[tuple[str, str, str]]) -> list[Record]:
    """`?` loses an answer, `!` is an outage with a send in it, `ack` is one by a reader."""
    honest = Honest()
    for room, visibility in (("hall", "public"), ("den", "private")):
        honest.room(room, visibility, "ada", "bob", *READERS)
    honest.sender("ada", "hall", "den")
    honest.sender("bob", "hall", "den")
    for reader in READERS:
        honest.reader(reader, "hall", "den")
    for user, room, how in steps:
        if how == "!":
            honest.outage()
        honest.send(user, room, unknown=how == "?")
        if how == "!":
            honest.heal(2.0)
        if how == "ack":
            honest.ack("ray")
    return honest.finish()


@settings(max_examples=60, deadline=None, database=None)
@given(steps=actions, how=st.sampled_from(["lost", "repeated", "moved"]), data=st.data())
def test_whatever_happens_to_a_shown_message_is_found(steps: list[tuple[str, str, str]], how: str, data: Any) -> None:
    records = random_story(steps)
    assert not check(records).violations
    shown = those(records, "shown", actor=data.draw(st.sampled_from(READERS)))
    record = data.draw(st.sampled_from(shown))
    expected = {"lost": "I1", "repeated": "I4", "moved": "I6"}[how]
    if how == "lost":
        remove(records, record)
    elif how == "repeated":
        add(records, record, seconds=data.draw(st.floats(0.0, 100.0)))
    else:
        others = [one for one in shown if one["room"] == record["room"] and one is not record]
        if not others:
            return
        exchange(record, data.draw(st.sampled_from(others)), "id", "localId", "user", "seq", "hash")
    report = check(records)
    assert expected in report.totals, str(report)
    assert getattr(report, how) >= 1
