"""A person who is forgotten is gone at every door, while the service runs."""

from tests.support.operator import Operator
from tests.support.person import Person


def test_a_person_is_forgotten_everywhere(operator: Operator, ada: Person, bob: Person) -> None:
    rooms = [ada.create_room(), ada.create_room("private")]
    bob.join(rooms[0])
    ada.invite(rooms[1], bob)
    direct = ada.http.put(f"/direct/{bob.id}").json()["name"]
    texts = [bob.send(room, f"my secret {number}") for number in range(3) for room in (*rooms, direct)]
    gone = bob.send(rooms[0], "withdrawn before")
    bob.http.delete(f"/messages/{gone['id']}")
    grows = bob.http.post(
        f"/rooms/{rooms[0]}/messages", json={"localId": "grows-0001", "body": "my secret", "growing": True}
    ).json()
    kept = ada.send(rooms[0], "Ada's own")
    since = ada.cursor()
    bob.poll(since, wait=0)

    assert "there is no user 'nobody'" in operator.run("forget", "nobody", code=1)
    assert operator.run("forget", bob.id, "--dry-run") == (
        f"would withdraw 10 messages of {bob.id}, who is called Bob\n"
    )
    assert "Aborted" in operator.run("forget", bob.id, answer="n\n", code=1)
    assert ada.message(texts[0]["id"])["body"] == "my secret 0"

    with bob.stream() as his, ada.stream(since=since) as hers:
        his.until("ready")
        assert operator.run("forget", bob.id, "--yes") == f"forgot {bob.id}: 10 messages withdrawn\n"
        his.until("closing", reason="signed_out")
        told = {hers.until("message.deleted", 20).data["message"]["id"] for _ in range(10)}
    assert told == {one["id"] for one in (*texts, grows)}
    assert bob.http.get("/session").status_code == 401
    assert bob.http.post("/session", json={"name": "Bob"}).json()["user"]["id"] != bob.id

    for one in (*texts, grows, gone):
        message = ada.message(one["id"])
        assert (message["body"], message["data"], message["sender"]["name"]) == ("", None, "Forgotten")
        assert message["deletedAt"] is not None
    assert ada.message(kept["id"])["body"] == "Ada's own"
    for room in (*rooms, direct, "general"):
        members = ada.http.get(f"/rooms/{room}/members").json()["members"]
        assert bob.id not in [one["id"] for one in members]
    assert ada.http.get(f"/rooms/{direct}").json()["title"] == "Forgotten"
    for table, column in (("memberships", "user_id"), ("pieces", "message_id"), ("growths", "sender_id")):
        assert operator.count(table, f"{column} IN (:user, :grows)", user=bob.id, grows=grows["id"]) == 0, table
    assert operator.rows("SELECT DISTINCT delivered, read FROM receipts WHERE user_id = :user", user=bob.id) == [
        (0, None)
    ]
    everything = str(operator.rows("SELECT body, data, content_hash FROM messages WHERE sender_id = :id", id=bob.id))
    assert "secret" not in everything
    assert operator.rows("SELECT DISTINCT content_hash FROM messages WHERE sender_id = :id", id=bob.id) == [("",)]
    # Again, it changes nothing.
    assert operator.run("forget", bob.id, "--yes") == f"forgot {bob.id}: 0 messages withdrawn\n"
