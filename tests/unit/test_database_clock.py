"""The database's clock, by which hosts agree."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
from sqlalchemy import select

from chatapp.runtime import now_ms
from chatapp.sending.grown_text import IDLE_S
from chatapp.storage import Growth
from chatapp.storage import ago
from chatapp.wire import Content
from tests.support.processes import wait_until
from tests.support.stage import Stage
from tests.unit.conftest import Set

MINUTES = timedelta(minutes=10)


def test_it_is_now_and_some_time_ago(stage: Stage) -> None:
    now, before = stage.parts.database.read(lambda tx: tx.execute(select(ago(), ago(90.5))).one())
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=10)
    assert timedelta(seconds=90.4) < now - before < timedelta(seconds=90.6)


def test_it_compares_with_what_stands_there(stage: Stage) -> None:
    ada = stage.person("Ada")
    id_ = stage.parts.messaging.store(ada, "general", "a-growing-one", Content("", growing=True)).document["id"]
    stage.write("UPDATE growths SET appended_at = :then", then="2026-01-01 00:00:00.000000")
    stage.parts.messaging.store(ada, "general", "another-one", Content("", growing=True))

    def older(seconds: float) -> list[str]:
        # On SQLite it is text, which sorts as it is written.
        query = select(Growth.message_id).where(Growth.appended_at < ago(seconds))
        return stage.parts.database.read(lambda tx: list(tx.scalars(query)))

    assert older(60.0) == [id_]
    wait_until(lambda: len(older(0.0)) == 2, what="a moment to pass")


@pytest.mark.parametrize("apart", [MINUTES, -MINUTES])
def test_a_host_with_another_clock_ends_no_reply_and_keeps_none(
    set_up: Set, monkeypatch: pytest.MonkeyPatch, apart: timedelta
) -> None:
    here, other = set_up(), set_up()
    ada = here.person("Ada")
    message = here.parts.messaging.store(ada, "general", "a-growing-one", Content("", growing=True))
    id_ = message.document["id"]
    by_hand = "UPDATE growths SET appended_at = :then"
    right = now_ms
    for stores, ends in ((here, other), (other, here)):
        # One of them has that clock, whoever appends.
        monkeypatch.setattr("chatapp.runtime.clock.now_ms", lambda: right() + int(apart.total_seconds() * 1000))
        stores.parts.appends.append(ada, id_, at(here), "more ")
        monkeypatch.undo()
        ends.parts.grown_text._end_idle()
        assert here.message(id_).growing
    monkeypatch.setattr("chatapp.runtime.clock.now_ms", lambda: right() + int(apart.total_seconds() * 1000))
    other.parts.grown_text._end_idle()
    assert here.message(id_).growing
    then = datetime.now(UTC) - timedelta(seconds=IDLE_S + 30)
    here.write(by_hand, then=f"{then:%Y-%m-%d %H:%M:%S.%f}")
    other.parts.grown_text._end_idle()
    assert not here.message(id_).growing


def at(stage: Stage) -> int:
    length: int = stage.one("SELECT length FROM growths")
    return length
