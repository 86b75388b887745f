"""`drain`: everything that a cursor still gives, read by a fresh client."""

import time
from typing import Any

from tests.faults.grower import is_reply
from tests.faults.history import History
from tests.support.person import Person
from tests.support.stream import EventStream

LIMIT = 500
BOUND_S = 30.0


def drain_by_poll(history: History, person: Person, since: str, rooms: list[str]) -> None:
    """Record what polls give after `since`, until they give nothing more."""
    ids: set[str] = set()
    cursor = since
    deadline_s = time.monotonic() + BOUND_S
    while time.monotonic() < deadline_s:
        answer = person.poll(cursor, wait=1, limit=LIMIT)
        if "reset" in answer:
            history.record("drain", "resync", "ok", cursor=cursor)
        cursor = answer["cursor"]
        ids |= {event["message"]["id"] for event in answer["events"] if _is_message(event)}
        if not answer["events"]:
            history.record("drain", "drain", "ok", user=person.id, since=since, rooms=rooms, ids=sorted(ids))
            return
    raise TimeoutError(f"reading on from {since} came to no end within {BOUND_S} s")


def drain_by_stream(history: History, person: Person, since: str, rooms: list[str]) -> None:
    """Record what a stream gives after `since`, until its second heartbeat without anything before it."""
    ids: set[str] = set()
    quiet = 0
    with EventStream(person.url, person.token, last_event_id=since) as stream:
        deadline_s = time.monotonic() + BOUND_S
        while quiet < 2:
            event = stream.next(deadline_s - time.monotonic())
            if event.type == "reset":
                history.record("drain", "resync", "ok", cursor=since)
            quiet = quiet + 1 if event.type == "heartbeat" else 0
            if _is_message(event.data):
                ids.add(event.data["message"]["id"])
    history.record("drain", "drain", "ok", user=person.id, since=since, rooms=rooms, ids=sorted(ids))


def _is_message(event: dict[str, Any]) -> bool:
    return "message" in event and not is_reply(event["message"])
