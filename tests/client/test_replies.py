"""Replies that grow, whatever the network does meanwhile."""

import pytest

from chatapp.client import ReplyEnded
from tests.client.conftest import Connect
from tests.client.heard import SOON_S
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.tcp_proxy import TcpProxy

WORDS = ["Let ", "me ", "see: ", "one, ", "two 🦊, ", "three"]
WHOLE = "".join(WORDS)


def begun(who: Person, room: str) -> dict[str, object]:
    return who.history(room)[-1]


def test_it_grows_before_all_eyes_and_ends(connect: Connect, ada: Person, bob: Person, room: str) -> None:
    client = connect(ada.url, ada.token)
    client.send(room, "before")
    with bob.stream(rooms=room) as stream, client.reply(room, {"model": "m"}) as reply:
        stream.until("ready")
        for word in WORDS:
            reply.write(word)
        # Appended without another write.
        wait_until(lambda: begun(bob, room)["body"] == WHOLE, SOON_S)
        assert begun(bob, room)["growing"] is True
        assert reply.text == WHOLE
        assert stream.until("message.grew").data["text"]
    assert (reply.message.body, reply.message.growing, reply.message.data) == (WHOLE, False, {"model": "m"})
    assert [one["body"] for one in bob.history(room)] == ["before", WHOLE]


def test_many_small_writes_and_a_long_one_arrive_whole(connect: Connect, ada: Person, own_room: str) -> None:
    client = connect(ada.url, ada.token)
    pieces = [f"{number} " for number in range(2_000)] + ["🦊" * 9_000]
    with client.reply(own_room) as reply:
        for piece in pieces:
            reply.write(piece)
        with pytest.raises(ValueError, match="32000"):
            reply.write("x" * 32_000)
    assert reply.message.body == "".join(pieces)


def test_answers_that_are_lost_repeat_nothing(connect: Connect, ada: Person, own_room: str, proxy: TcpProxy) -> None:
    client = connect(proxy.url, ada.token)
    with client.reply(own_room) as reply:
        reply.write("one")
        wait_until(lambda: begun(ada, own_room)["body"] == "one", SOON_S)
        proxy.swallow_replies(0.1)
        reply.write(", two")
        wait_until(lambda: begun(ada, own_room)["body"] == "one, two", SOON_S)
        proxy.heal()
        reply.write(", three")
    assert reply.message.body == "one, two, three"


def test_after_an_exception_it_ends_as_it_stands(connect: Connect, ada: Person, own_room: str) -> None:
    client = connect(ada.url, ada.token)

    def fail() -> None:
        with client.reply(own_room) as reply:
            reply.write("as far as it got")
            raise KeyError("the model fell over")

    with pytest.raises(KeyError):
        fail()
    ended = begun(ada, own_room)
    assert (ended["body"], ended["growing"]) == ("as far as it got", False)


def test_another_end_may_stand_instead(connect: Connect, ada: Person, own_room: str) -> None:
    client = connect(ada.url, ada.token)
    with client.reply(own_room) as reply:
        reply.write("a draft")
        assert reply.finish("the end").body == "the end"
    assert begun(ada, own_room)["body"] == "the end"


@pytest.mark.parametrize("said", ["Let me ", WHOLE, "Something else"])
@pytest.mark.parametrize("ended", [False, True])
def test_one_that_was_begun_before_goes_on(
    connect: Connect, ada: Person, own_room: str, said: str, ended: bool
) -> None:
    """As after a kill -9: the process began it under the same localId, and got so far."""
    local_id = new_local_id()
    before = {"localId": local_id, "body": "", "data": None, "growing": True}
    begin = ada.http.post(f"/rooms/{own_room}/messages", json=before).json()
    ada.http.post(f"/messages/{begin['id']}/append", json={"at": 0, "text": said})
    if ended:
        ada.http.post(f"/messages/{begin['id']}/finish", json={})
    client = connect(ada.url, ada.token)
    with client.reply(own_room, local_id=local_id) as reply:
        for word in WORDS:
            reply.write(word)
    # What another process said to its end, and differs, stands.
    expected = said if ended and said == "Something else" else WHOLE
    assert [(one["body"], one["growing"]) for one in ada.history(own_room)] == [(expected, False)]
    assert reply.message.body == expected


def test_out_of_step_is_told_apart(connect: Connect, ada: Person, own_room: str) -> None:
    """Somebody else of the same user appends to it, or ends it, in between."""
    client = connect(ada.url, ada.token)
    with client.reply(own_room) as reply:
        reply.write("mine")
        wait_until(lambda: begun(ada, own_room)["body"] == "mine", SOON_S)
        ada.http.post(f"/messages/{reply.message.id}/append", json={"at": 4, "text": " and theirs"})
        reply.write(" alone")
    assert reply.message.body == "mine alone"
    reply = client.reply(own_room).begin()
    reply.write("said")
    wait_until(lambda: begun(ada, own_room)["body"] == "said", SOON_S)
    ada.http.post(f"/messages/{reply.message.id}/finish", json={"body": "ended by hand"})
    reply.write(" in vain")
    with pytest.raises(ReplyEnded, match="13 code points"):
        reply.finish()
