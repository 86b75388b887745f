"""When a message becomes `delivered`: by cursors of other members, whoever hears and writes them first."""

import random
from typing import Any

import httpx
import pytest

from tests.support.person import Person
from tests.support.processes import wait_until

# Acks are gathered for 0.25 s, and one that came before the record of a joining is looked at again within 3 s.
DELIVERED_S = 5.0


def delivered(sender: Person, message: dict[str, Any], to: int = 1) -> None:
    def told() -> bool:
        found = sender.message(message["id"])
        return (found["status"], found["deliveredTo"]) == ("delivered", to)

    wait_until(told, DELIVERED_S, f"delivered to {to}")


def still_sent(sender: Person, message: dict[str, Any]) -> None:
    found = sender.message(message["id"])
    assert (found["status"], found["deliveredTo"]) == ("sent", 0)


def ack_anywhere(person: Person, cursor: str, rooms: list[str]) -> None:
    """On a connection of its own, so it may reach any of the workers."""
    answer = httpx.post(
        f"{person.url}/api/v1/events/ack",
        json={"cursor": cursor, "rooms": rooms},
        headers={"Authorization": f"Bearer {person.token}"},
        timeout=15,
    )
    assert answer.status_code == 204, answer.text


def test_when_another_member_stands_past_it(ada: Person, bob: Person, room: str) -> None:
    first, second = ada.send(room, "one"), ada.send(room, "two")
    assert bob.ack(first["cursor"], [room]).status_code == 204
    delivered(ada, first)
    still_sent(ada, second)
    # One's own ack delivers nothing, and a receipt never goes back.
    ada.ack(second["cursor"])
    bob.ack(first["cursor"])
    bob.ack(second["cursor"])
    delivered(ada, second)


def test_a_very_first_cursor_delivers_all_since_the_joining(ada: Person, bob: Person, room: str) -> None:
    messages = [ada.send(room, f"{number}") for number in range(3)]
    bob.ack(messages[-1]["cursor"], [room])
    for message in messages:
        delivered(ada, message)


def test_nothing_from_before_the_joining_is_ever_delivered(ada: Person, bob: Person) -> None:
    room = ada.create_room()
    before = ada.send(room, "before")
    bob.join(room)
    after = ada.send(room, "after")
    bob.poll("0-0", wait=0, rooms=room)
    bob.ack(after["cursor"], [room])
    delivered(ada, after)
    still_sent(ada, before)


def test_a_return_without_a_cursor_confirms_nothing(ada: Person, bob: Person, room: str) -> None:
    bob.ack(ada.send(room, "seen")["cursor"], [room])
    missed = ada.send(room, "missed")
    bob.poll(rooms=room)  # from now on
    with bob.stream(rooms=room) as stream:
        stream.next()
        still_sent(ada, missed)
        bob.ack(missed["cursor"], [room])
        delivered(ada, missed)


def test_after_a_joining_while_connected(ada: Person, bob: Person) -> None:
    with bob.stream() as stream:
        stream.next()
        room = ada.create_room()
        bob.join(room)
        sent = [ada.send(room, f"{number}") for number in range(3)]
        stream.messages(3)
        bob.ack(sent[-1]["cursor"])
        for message in sent:
            delivered(ada, message)


def test_only_members_acks_count(ada: Person, bob: Person, eve: Person, room: str) -> None:
    sent = ada.send(room, "read by a visitor")
    assert eve.ack(sent["cursor"], [room]).status_code == 204
    bob.ack(sent["cursor"], [room])
    delivered(ada, sent)


def test_an_ack_beyond_the_newest_counts_as_up_to_that(ada: Person, bob: Person, room: str) -> None:
    assert bob.ack("9999999999999-0", [room]).status_code == 204
    sent = ada.send(room, "after the far ack")
    bob.poll("0-0", wait=0, rooms=room)
    still_sent(ada, sent)
    bob.ack(sent["cursor"], [room])
    delivered(ada, sent)


def test_quick_cursors_of_one_client_by_any_worker(ada: Person, bob: Person, room: str) -> None:
    """Also the first two of them, within the time that acks are gathered."""
    messages = [ada.send(room, f"{number}") for number in range(6)]
    for message in messages:
        ack_anywhere(bob, message["cursor"], [room])
    for message in messages:
        delivered(ada, message)


def test_who_acks_and_leaves_at_once_has_received_it(ada: Person, bob: Person, room: str) -> None:
    sent = ada.send(room, "the last thing that Bob hears")
    ack_anywhere(bob, sent["cursor"], [room])
    bob.http.delete(f"/rooms/{room}/members/me")
    delivered(ada, sent)


def test_a_second_membership_begins_at_its_own_joining(ada: Person, bob: Person, room: str) -> None:
    received, missed = ada.send(room, "received"), ada.send(room, "missed")
    bob.ack(received["cursor"], [room])
    bob.http.delete(f"/rooms/{room}/members/me")
    behind_his_back = ada.send(room, "while Bob is away")
    bob.join(room)
    back = ada.send(room, "Bob is back")
    bob.ack(back["cursor"], [room])
    delivered(ada, back)
    # What was received stays so, and is counted once.
    delivered(ada, received)
    still_sent(ada, missed)
    still_sent(ada, behind_his_back)
    bob.ack(ada.send(room, "more")["cursor"], [room])
    delivered(ada, received)


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_joining_saying_and_confirming(ada: Person, bob: Person, eve: Person, seed: int) -> None:
    """Against a model that knows only the order in which things were answered."""
    chance = random.Random(seed)
    room = ada.create_room()
    others = [bob, eve]
    # Where the present membership of each began, as a position in `said`, or None.
    began: dict[str, int | None] = {one.id: None for one in others}
    said: list[dict[str, Any]] = []
    expected: list[set[str]] = []
    for _ in range(60):
        one = chance.choice(others)
        begin = began[one.id]
        action = chance.choices(["say", "ack", "move"], [4, 5, 2])[0]
        if action == "say":
            said.append(ada.send(room, f"{len(said)}"))
            expected.append(set())
        elif action == "ack" and said:
            up_to = chance.randrange(max(0, len(said) - 5), len(said))
            ack_anywhere(one, said[up_to]["cursor"], [room])
            for number in range(begin if begin is not None else len(said), up_to + 1):
                expected[number].add(one.id)
        elif action == "move":
            if begin is None:
                one.join(room)
                began[one.id] = len(said)
            else:
                one.http.delete(f"/rooms/{room}/members/me")
                began[one.id] = None
    wanted = [len(them) for them in expected]

    def counts() -> list[int]:
        return [ada.message(message["id"])["deliveredTo"] for message in said]

    wait_until(lambda: counts() == wanted, DELIVERED_S, f"{wanted}")
    statuses = ["delivered" if count else "sent" for count in wanted]
    # The count may be there a moment before the status.
    wait_until(lambda: [ada.message(one["id"])["status"] for one in said] == statuses, DELIVERED_S, f"{statuses}")
    assert counts() == wanted
