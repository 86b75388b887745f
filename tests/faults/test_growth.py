"""The checker's part about replies that grow, read receipts and presence: nothing in what is right, and each defect."""

from typing import Any

import pytest

from tests.faults.checker import check
from tests.faults.history import Record
from tests.faults.planting import Defect
from tests.faults.planting import Records
from tests.faults.planting import add
from tests.faults.planting import remove
from tests.faults.planting import those


def story() -> list[Record]:
    """Two pieces, shown as they came; the end; and what was read meanwhile."""
    records: list[Record] = []

    def write(actor: str, f: str, type_: str = "ok", **fields: Any) -> None:
        records.append({"mono": float(len(records)), "wall": 0.0, "actor": actor, "f": f, "type": type_, **fields})

    for at, text in ((0, "one "), (4, "two")):
        write("grower", "append", "invoke", id="m", at=at, text=text)
        write("grower", "append", id="m", at=at, text=text)
        write("onlooker", "grown", id="m", text="one two"[: at + len(text)], growing=True)
    for cursor in ("5-0", "6-0"):
        write("onlooker", "read", "invoke", cursor=cursor)
        write("onlooker", "read", cursor=cursor)
    write("grower", "finish", id="m", text="one two")
    write("onlooker", "grown", id="m", text="one two", growing=False)
    write("lab", "present", seconds=3.0)
    write("lab", "grown_row", id="m", text="one two", growing=False)
    return records


def append_lost(records: Records) -> None:
    for f in ("finish", "grown_row"):
        those(records, f)[0]["text"] = "one "
    those(records, "grown")[-1]["text"] = "one two"


def append_misplaced(records: Records) -> None:
    for record in (*those(records, "finish"), *those(records, "grown_row"), those(records, "grown")[-1]):
        record["text"] = "one two one two"
    those(records, "append")[1]["at"] = 3


def reply_lost(records: Records) -> None:
    remove(records, *those(records, "grown_row"))


def append_refused(records: Records) -> None:
    those(records, "append")[1].update(type="fail", said="out of step")


def shown_text_goes_back(records: Records) -> None:
    add(records, those(records, "grown")[1], text="one")


def grows_after_its_end(records: Records) -> None:
    add(records, those(records, "grown")[-1], text="one two three", growing=True)


def end_never_shown(records: Records) -> None:
    remove(records, those(records, "grown")[-1])


def another_end_shown(records: Records) -> None:
    those(records, "grown")[-1]["text"] = "one two three"


def read_goes_back(records: Records) -> None:
    add(records, those(records, "read")[-1], cursor="5-0")


def read_is_not_taken(records: Records) -> None:
    those(records, "read")[-1]["cursor"] = "5-0"


def presence_late(records: Records) -> None:
    those(records, "present")[0]["seconds"] = 16.0


def presence_never_whole(records: Records) -> None:
    those(records, "present")[0].update(type="fail", missing=["u_1"])


DEFECTS = [
    *(
        Defect(plant, {"I13"})
        for plant in (
            append_lost,
            append_misplaced,
            reply_lost,
            append_refused,
            shown_text_goes_back,
            grows_after_its_end,
            end_never_shown,
            another_end_shown,
        )
    ),
    *(Defect(plant, {"I9"}) for plant in (read_goes_back, read_is_not_taken)),
    *(Defect(plant, {"I11"}) for plant in (presence_late, presence_never_whole)),
]


def test_nothing_is_found_in_what_is_right() -> None:
    assert not check(story()).violations


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_planted_defect_is_found(defect: Defect) -> None:
    records = story()
    defect.plant(records)
    report = check(records)
    assert set(report.totals) == defect.invariants, str(report)
