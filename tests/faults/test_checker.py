"""The checker finds nothing in an honest history, and each defect that is planted in one."""

from pathlib import Path

import pytest

from tests.faults.checker import check
from tests.faults.defects import DEFECTS
from tests.faults.defects import hole_filled_late
from tests.faults.defects import told_after_removal
from tests.faults.history import History
from tests.faults.history import digest
from tests.faults.history import load
from tests.faults.honest import Honest
from tests.faults.honest import story
from tests.faults.planting import Defect
from tests.faults.planting import add
from tests.faults.planting import remove
from tests.faults.planting import those
from tests.faults.report import TEXTS_MAX


def test_an_honest_history_breaks_nothing_and_has_the_right_figures() -> None:
    report = check(story())
    assert not report.violations, str(report)
    assert (report.sent, report.acknowledged, report.shown) == (24, 23, 65)
    assert (report.lost, report.repeated, report.moved, report.wire_repeats) == (0, 0, 0, 0)
    # The message of the outage: 3 s, and the steps around it.
    assert 3.0 < report.longest_gap_s < 5.0


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_planted_defect_is_found(defect: Defect) -> None:
    records = story()
    defect.plant(records)
    report = check(records)
    assert set(report.totals) == defect.invariants, str(report)
    assert {name: getattr(report, name) for name in defect.figures} == defect.figures
    assert all("\n" not in one.text for one in report.violations)


def test_the_removed_may_be_told_for_another_second() -> None:
    records = story()
    told_after_removal(records, seconds=0.5)
    assert not check(records).violations


def test_who_comes_back_may_be_told_again() -> None:
    records = story()
    told_after_removal(records)
    left = those(records, "member", change="left")[0]
    add(records, left, seconds=1.5, type="invoke", change="joined")
    assert "I10" not in check(records).totals


def test_a_refused_joining_opens_nothing() -> None:
    records = story()
    told_after_removal(records)
    left = those(records, "member", change="left")[0]
    add(records, left, seconds=1.5, actor="roy", type="invoke", change="joined")
    add(records, left, seconds=1.6, actor="roy", type="fail", change="joined")
    assert set(check(records).totals) == {"I10"}


def test_a_hole_that_is_filled_soon_is_only_out_of_order() -> None:
    records = story()
    hole_filled_late(records, seconds=4.9)
    assert set(check(records).totals) == {"I6"}


@pytest.mark.parametrize("removed", [True, False])
def test_the_cursor_of_the_removed_confirms_nothing(removed: bool) -> None:
    records = story()
    row = those(records, "row", room="den")[-1]
    left = those(records, "member", change="left")[0]
    remove(records, *those(records, "drain"))
    if not removed:
        remove(records, left, *those(records, "member", "invoke", change="left"))
    # rae came back with a later cursor and ray confirmed one: roy is the third.
    add(records, left, seconds=3.0, actor="roy", f="ack", cursor=row["seq"], rooms=["den"])
    add(records, records[-2], actor=row["user"], f="receipt", id=row["id"], status=None, deliveredTo=3)
    assert ("I9" in check(records).totals) is removed


def test_repeats_on_the_wire_are_counted_and_allowed() -> None:
    records = story()
    for event in those(records, "deliver", actor="rae", event="message.created")[:3]:
        add(records, event)
    report = check(records)
    assert not report.violations, str(report)
    assert report.wire_repeats == 3


@pytest.mark.parametrize("stored", [True, False])
def test_an_outcome_that_stays_unknown_may_be_stored_or_not(stored: bool) -> None:
    honest = Honest()
    honest.room("hall", "public", "ada", "rae")
    honest.sender("ada", "hall")
    honest.reader("rae", "hall")
    local_id = honest.send("ada", "hall")
    records = honest.finish()
    answer = those(records, "send", localId=local_id)[0]
    answer.update(type="info", reason="no answer", id=None, seq=None)
    if not stored:
        remove(records, *(one for f in ("row", "deliver", "shown") for one in those(records, f, localId=local_id)))
        for drain in those(records, "drain"):
            drain["ids"] = []
    report = check(records)
    assert not report.violations, str(report)
    assert report.acknowledged == 0


def test_a_refused_send_may_be_sent_again() -> None:
    records = story()
    answer = those(records, "send")[5]
    add(records, answer, -0.05, type="fail", status=429, code="rate_limited")
    add(records, answer, -0.04, type="invoke", hash=digest(answer["localId"]))
    assert not check(records).violations


def test_a_follower_that_never_connects_is_found() -> None:
    records = story()
    remove(records, *those(records, "connect", actor="rae"))
    assert set(check(records).totals) == {"I1"}


def test_a_cursor_that_nobody_was_given_may_be_refused() -> None:
    records = story()
    add(records, records[-1], actor="rae", f="resync", cursor="1963781234000-0")
    assert not check(records).violations


def test_a_thousand_violations_are_twenty_texts_and_a_number() -> None:
    records = story()
    shown = those(records, "shown", actor="rae")[0]
    for _ in range(1000):
        add(records, shown)
    report = check(records)
    assert report.totals["I4"] == report.repeated == 1000
    assert len(report.violations) == TEXTS_MAX


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.record("ada", "send", "invoke", user="u_ada", room="hall", localId="local-1", hash=digest("hé\n"))
    history.record("ada", "send", "info", user="u_ada", localId="local-1", reason="no\nanswer")
    history.close()
    assert load(history.path) == history.records
    assert history.records[0]["mono"] <= history.records[1]["mono"]
    assert digest("hé\n") != digest("hé")
