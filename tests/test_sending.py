"""The contract of sending: once, in order, with a rate, and with an answer that can be acted on."""

import threading
from typing import Any

import httpx
import pytest

from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.service import Service


def test_a_message_comes_back_as_the_contract_has_it(ada: Person, room: str) -> None:
    local_id = new_local_id()
    answer = ada.post(room, "hello", local_id)
    assert answer.status_code == 201
    message = answer.json()
    assert set(message) == {
        "id", "localId", "room", "sender", "body", "data", "createdAt", "status", "cursor", "editedAt", "deletedAt",
        "growing",
    }  # fmt: skip
    assert message["localId"] == local_id
    assert message["room"] == room
    assert message["sender"] == {"id": ada.id, "name": "Ada"}
    assert (message["body"], message["status"]) == ("hello", "sent")
    assert (message["editedAt"], message["deletedAt"]) == (None, None)
    assert message["id"][14] == "7"
    assert message["createdAt"].endswith("Z")
    assert len(message["createdAt"]) == len("2026-11-22T10:00:00.123Z")
    assert message["cursor"] is not None


def test_the_same_local_id_is_the_same_message(ada: Person, bob: Person, room: str) -> None:
    local_id = new_local_id()
    first = ada.post(room, "once", local_id)
    again = ada.post(room, "once", local_id)
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    # Unique per sender: someone else's is another message.
    assert bob.post(room, "once", local_id).status_code == 201
    assert len(ada.history(room)) == 2


def test_twenty_copies_at_once_are_one_message(service: Service, ada: Person, room: str) -> None:
    local_id = new_local_id()
    answers: list[httpx.Response] = []
    go = threading.Barrier(20)

    def send() -> None:
        # A connection of its own, so that the copies spread over the workers.
        with httpx.Client(headers=ada.http.headers, timeout=15) as client:
            go.wait()
            answers.append(
                client.post(
                    f"{service.url}/api/v1/rooms/{room}/messages", json={"localId": local_id, "body": "all at once"}
                )
            )

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(ada.history(room)) == 1


def test_a_reused_local_id_is_refused_with_the_stored_message(ada: Person, room: str) -> None:
    first = ada.send(room, "first")
    for where, body in ((room, "second"), ("general", "first")):
        answer = ada.post(where, body, first["localId"])
        assert (answer.status_code, answer.json()["code"]) == (422, "local_id_reused")
        assert answer.json()["message"] == first
    # Judged by what was first sent, whatever was edited since.
    ada.http.patch(f"/messages/{first['id']}", json={"body": "edited"})
    assert ada.post(room, "first", first["localId"]).status_code == 200
    assert ada.post(room, "edited", first["localId"]).status_code == 422
    assert len(ada.history(room)) == 1


def test_the_idempotency_key_does_as_well(ada: Person, room: str) -> None:
    key = new_local_id()
    answer = ada.http.post(f"/rooms/{room}/messages", json={"body": "x"}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["localId"]) == (201, key)
    quoted = ada.http.post(f"/rooms/{room}/messages", json={"body": "x"}, headers={"Idempotency-Key": f'"{key}"'})
    assert quoted.status_code == 200
    answer = ada.http.post(
        f"/rooms/{room}/messages", json={"localId": new_local_id(), "body": "x"}, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 422


ODD_BUT_VALID = {
    "4,000 emoji": "😀" * 4000,
    "a family": "👨‍👩‍👧‍👦",
    "Hebrew": "שלום עולם",
    "Arabic with marks": "اَلْعَرَبِيَّةُ",
    "combining marks": "e\u0301" + "a" + "\u0301" * 50,
    "not normalised": "\u212b \ufb01 e\u0301 é",
    "script": "<script>alert(1)</script>",
    "looks like SSE": "data: x\n\nevent: closing\nid: 0-0\ndata: {}\n\n",
    "tabs and newlines": "\ta\n\n\tb\n",
    "spaces around": "  kept  ",
    "line separators": "a\u2028b\u2029c\u0085".replace("\u0085", ""),
    "bidi override": "a\u202eb",
    "quotes and backslashes": "\"\\'%s{}\u007b \\u0000",
    "noncharacter": "\ufffe\U0010ffff",
    "zero width inside": "a\u200bb\ufeff",
    "null word": "null",
}


@pytest.mark.parametrize("body", ODD_BUT_VALID.values(), ids=ODD_BUT_VALID.keys())
def test_what_is_odd_but_valid_comes_back_exactly(ada: Person, bob: Person, room: str, body: str) -> None:
    start = bob.cursor()
    sent = ada.send(room, body)
    assert sent["body"] == body
    assert ada.message(sent["id"])["body"] == body
    assert ada.page(room)["messages"][-1]["body"] == body
    with bob.stream(since=start, rooms=room) as stream:
        assert stream.messages(1)[0]["body"] == body
    assert bob.poll(start, wait=5, rooms=room)["events"][-1]["message"]["body"] == body


def test_status_tells_what_became_of_a_message(ada: Person, bob: Person, room: str) -> None:
    sent = ada.send(room, "hello")
    refused = new_local_id()
    assert ada.post(room, " ", refused).status_code == 422
    unknown = new_local_id()
    results = ada.status(sent["localId"], refused, unknown)
    assert [one["status"] for one in results] == ["sent", "failed", "unknown"]
    assert [one["localId"] for one in results] == [sent["localId"], refused, unknown]
    assert results[0]["message"] == sent
    assert results[1]["problem"]["code"] == "invalid_message"
    # A refused localId may start over.
    assert ada.post(room, "now with words", refused).status_code == 201
    assert ada.status(refused)[0]["status"] == "sent"
    # Another person's localIds are unknown here.
    assert bob.status(sent["localId"])[0]["status"] == "unknown"


def test_history_pages_both_ways(ada: Person, room: str) -> None:
    sent = [ada.send(room, f"{number}") for number in range(12)]
    newest = ada.page(room, limit=5)
    assert [one["body"] for one in newest["messages"]] == ["7", "8", "9", "10", "11"]
    assert newest["hasMore"] is True
    older = ada.page(room, limit=5, before=newest["before"])
    assert [one["body"] for one in older["messages"]] == ["2", "3", "4", "5", "6"]
    oldest = ada.page(room, limit=5, before=older["before"])
    assert ([one["body"] for one in oldest["messages"]], oldest["hasMore"]) == (["0", "1"], False)
    forward = ada.page(room, limit=5, after=sent[2]["cursor"])
    assert [one["body"] for one in forward["messages"]] == ["3", "4", "5", "6", "7"]
    assert ada.page(room, limit=5, after=forward["after"])["messages"][0]["body"] == "8"
    empty = ada.page(room, after=sent[-1]["cursor"])
    assert (empty["messages"], empty["hasMore"]) == ([], False)
    for wrong in ({"limit": 0}, {"limit": 201}, {"limt": 5}):
        answer = ada.http.get(f"/rooms/{room}/messages", params=wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_a_stream_from_a_pages_cursor_misses_nothing(ada: Person, bob: Person, room: str) -> None:
    ada.send(room, "before")
    page = bob.page(room)
    ada.send(room, "after")
    with bob.stream(since=page["cursor"], rooms=room) as stream:
        seen = [one["body"] for one in page["messages"]]
        while "after" not in seen:
            message = stream.until("message.created").data["message"]
            seen += [message["body"]] if message["body"] not in seen else []
    assert seen == ["before", "after"]


def test_one_message_has_an_etag(ada: Person, bob: Person, room: str) -> None:
    sent = ada.send(room, "tagged")
    first = ada.http.get(f"/messages/{sent['id']}")
    assert first.json()["deliveredTo"] == 0
    tag = first.headers["ETag"]
    assert ada.http.get(f"/messages/{sent['id']}", headers={"If-None-Match": tag}).status_code == 304
    ada.http.patch(f"/messages/{sent['id']}", json={"body": "changed"})
    changed = ada.http.get(f"/messages/{sent['id']}", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["body"]) == (200, "changed")
    assert bob.http.get("/messages/01900000-0000-7000-8000-000000000000").status_code == 404
    assert bob.http.get("/messages/nonsense").status_code == 404


def test_only_the_sender_edits_and_withdraws(ada: Person, bob: Person, room: str) -> None:
    sent = ada.send(room, "mine")
    for answer in (
        bob.http.patch(f"/messages/{sent['id']}", json={"body": "yours"}),
        bob.http.delete(f"/messages/{sent['id']}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    edited = ada.http.patch(f"/messages/{sent['id']}", json={"body": "still mine"}).json()
    assert edited["editedAt"] is not None
    assert edited["cursor"] == sent["cursor"]
    gone = ada.http.delete(f"/messages/{sent['id']}")
    assert (gone.status_code, gone.json()["body"]) == (200, "")
    assert ada.http.delete(f"/messages/{sent['id']}").json()["deletedAt"] == gone.json()["deletedAt"]
    assert ada.http.patch(f"/messages/{sent['id']}", json={"body": "back"}).status_code == 403
    assert ada.page(room)["messages"][-1]["deletedAt"] == gone.json()["deletedAt"]


def item(room: str, body: str, local_id: str | None = None) -> dict[str, Any]:
    return {"room": room, "localId": local_id or new_local_id(), "body": body}


def test_a_batch_is_stored_in_order_and_bad_items_fail_alone(ada: Person, bob: Person, room: str) -> None:
    known = ada.send(room, "known")
    items = [
        item(room, "one"),
        item(room, "known", known["localId"]),
        item(room, " "),
        item("no-such-room", "x"),
        {"room": room, "localId": "short", "body": "x"},
        "not an object",
        item(room, "other words", known["localId"]),
        item(room, "two"),
    ]
    answer = ada.batch(*items)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [
        "sent", "sent", "failed", "failed", "failed", "failed", "failed", "sent",
    ]  # fmt: skip
    codes = [one["problem"]["code"] for one in results if "problem" in one]
    assert codes == ["invalid_message", "not_found", "invalid_message", "invalid_message", "local_id_reused"]
    assert results[1]["message"]["id"] == known["id"]
    assert [one["body"] for one in bob.history(room)] == ["known", "one", "two"]
    # The whole replay again stores nothing.
    again = ada.batch(*items).json()["results"]  # type: ignore[arg-type]
    assert [one.get("message", {}).get("id") for one in again] == [one.get("message", {}).get("id") for one in results]
    assert len(bob.history(room)) == 3


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_has_a_size(ada: Person, room: str, count: int) -> None:
    answer = ada.batch(*[item(room, "x") for _ in range(count)])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_message")
