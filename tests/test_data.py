"""Structured content: what programs say to programs, in every form of a message."""

import json
from typing import Any

import pytest

from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.service import Service

CARD = {
    "kind": "job",
    "steps": [{"name": "build", "done": True}, {"name": "Prüfung \u2028", "done": None}],
    "part": 0.5,
}
MIB_64 = 2**64 - 1


def post(who: Person, room: str, **fields: Any) -> Any:
    return who.http.post(f"/rooms/{room}/messages", json={"localId": new_local_id(), "body": "a job", **fields})


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(depth - 1):
        inner = {"in": inner}
    return inner


def test_it_is_in_every_form_of_the_message(service: Service, ada: Person, bob: Person, room: str) -> None:
    since = ada.cursor()
    sent = post(ada, room, data=CARD)
    assert (sent.status_code, sent.json()["data"]) == (201, CARD)
    id_ = sent.json()["id"]
    assert bob.message(id_)["data"] == CARD
    assert ada.history(room)[-1]["data"] == CARD
    assert bob.http.get(f"/rooms/{room}").json()["lastMessage"]["data"] == CARD
    told = bob.http.get(f"/events/poll?since={since}&rooms={room}&wait=5").json()["events"]
    assert [event["message"]["data"] for event in told if event["type"] == "message.created"] == [CARD]
    local_id = sent.json()["localId"]
    [known] = ada.http.get(f"/messages/status?localId={local_id}").json()["results"]
    assert known["message"]["data"] == CARD
    # From the beginning, by the database.
    past = bob.http.get(f"/events/poll?since=0-0&rooms={room}&limit=1000").json()["events"]
    assert [event["message"]["data"] for event in past if "message" in event] == [CARD]


def test_the_keys_keep_their_order_and_numbers_their_value(ada: Person, room: str) -> None:
    data = {"z": 1, "a": 1.0, "most": 2**64 - 1, "least": -(2**63), "": {}, "tiny": 5e-324, "nul": "\0"}
    sent = post(ada, room, data=data)
    text = ada.http.get(f"/messages/{sent.json()['id']}").text
    assert json.dumps(json.loads(text)["data"]) == json.dumps(data)


def test_without_it_there_is_null(ada: Person, room: str) -> None:
    assert post(ada, room).json()["data"] is None
    assert post(ada, room, data=None).json()["data"] is None


def test_it_is_a_part_of_what_a_local_id_stands_for(ada: Person, room: str) -> None:
    local_id = new_local_id()
    assert post(ada, room, localId=local_id, data={"a": 1, "b": 2}).status_code == 201
    assert post(ada, room, localId=local_id, data={"b": 2, "a": 1}).status_code == 200
    for other in ({"a": 1}, {"a": 1, "b": 3}, {}, None):
        again = post(ada, room, localId=local_id, data=other)
        assert (again.status_code, again.json()["code"]) == (422, "local_id_reused")
        assert again.json()["message"]["data"] == {"a": 1, "b": 2}
    empty = new_local_id()
    assert post(ada, room, localId=empty, data={}).status_code == 201
    assert post(ada, room, localId=empty).status_code == 422


def test_it_is_replaced_taken_away_and_withdrawn(ada: Person, room: str) -> None:
    id_ = post(ada, room, data=CARD).json()["id"]
    path = f"/messages/{id_}"
    done = ada.http.patch(path, json={"data": {"done": True}}).json()
    assert (done["body"], done["data"]) == ("a job", {"done": True})
    assert done["editedAt"] is not None
    said = ada.http.patch(path, json={"body": "done"}).json()
    assert (said["body"], said["data"]) == ("done", {"done": True})
    unchanged = ada.http.patch(path, json={"data": {"done": True}, "body": "done"}).json()
    assert unchanged["editedAt"] == said["editedAt"]
    assert ada.http.patch(path, json={"data": None}).json()["data"] is None
    assert ada.http.patch(path, json={"data": CARD}).json()["data"] == CARD
    assert ada.http.delete(path).json()["data"] is None
    assert ada.history(room)[-1]["data"] is None


def test_a_batch_takes_a_card_with_each_message(ada: Person, room: str) -> None:
    card = {"rows": [{"at": number} for number in range(50)]}
    items = [{"room": room, "localId": new_local_id(), "body": "a card", "data": card} for _ in range(100)]
    items[7]["data"] = ["no object"]
    results = ada.batch(*items).json()["results"]
    assert [one["status"] for one in results] == ["sent"] * 7 + ["failed"] + ["sent"] * 92
    assert "data" in results[7]["problem"]["errors"]
    assert results[-1]["message"]["data"] == card


@pytest.mark.parametrize(
    "data",
    [
        "1", "true", '"text"', "[]", '["a"]',
        '{"a":18446744073709551616}', '{"a":-9223372036854775809}', '{"a":1e400}', '{"a":[[-1e999]]}',
        '{"a":"\\ud800"}', '{"\\udfff":1}',
        json.dumps(nested(17)), json.dumps({"a": "x" * (8 * 1024)}), json.dumps({"a": [0] * 5000}),
    ],
)  # fmt: skip
def test_what_cannot_be_given_back_as_it_was_is_refused(ada: Person, room: str, data: str) -> None:
    body = f'{{"localId":"{new_local_id()}","body":"a job","data":{data}}}'
    headers = {"Content-Type": "application/json"}
    refused = ada.http.post(f"/rooms/{room}/messages", content=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_message"), refused.text
    assert list(refused.json()["errors"]) == ["data"]
    assert ada.history(room) == []


def test_the_bounds_themselves_are_taken(ada: Person, room: str) -> None:
    largest = {"a": "x" * (8 * 1024 - len('{"a":""}'))}
    for data in (nested(16), largest):
        assert post(ada, room, data=data).json()["data"] == data


def test_an_edit_says_something(ada: Person, room: str) -> None:
    id_ = post(ada, room).json()["id"]
    for body in ({}, {"body": None}, {"data": 1}, {"text": "x"}):
        refused = ada.http.patch(f"/messages/{id_}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_message"), body
