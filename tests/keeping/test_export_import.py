"""What a room says goes out and comes in again, as it was said."""

import json
import secrets
import signal
from pathlib import Path
from typing import Any

from tests.support.operator import Operator
from tests.support.person import Person
from tests.support.processes import wait_until


def new_name() -> str:
    return f"new-{secrets.token_hex(4)}"


def said(messages: list[dict[str, Any]]) -> list[Any]:
    """What is the same wherever it stands."""
    kept = ("body", "data", "createdAt", "editedAt", "deletedAt")
    return [(one["sender"]["name"], *(one[name] for name in kept)) for one in messages]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_room_goes_out_and_comes_in_as_it_was(operator: Operator, ada: Person, bob: Person, tmp_path: Path) -> None:
    room, other = ada.create_room(), new_name()
    bob.join(room)
    items = [
        {"room": room, "localId": f"many-{number:05d}", "body": f"number {number} <b>\u2028ß"} for number in range(90)
    ]
    assert bob.batch(*items).status_code == 200
    messages = [ada.send(room, "to be edited"), ada.send(room, "to be withdrawn")]
    ada.http.patch(f"/messages/{messages[0]['id']}", json={"body": "edited", "data": {"a": [1, 2]}})
    ada.http.delete(f"/messages/{messages[1]['id']}")
    grown = ada.http.post(
        f"/rooms/{room}/messages", json={"localId": "grows-0001", "body": "so", "growing": True}
    ).json()
    ada.http.post(f"/messages/{grown['id']}/finish", json={"body": "long " * 6_000})
    file = tmp_path / "room.jsonl"
    operator.run("export", room, "--output", str(file))
    history = ada.history(room)
    assert lines(file) == history
    assert [json.loads(line) for line in operator.run("export", room).splitlines()] == history

    before = bob.cursor()
    assert operator.run("import", str(file), "--room", other) == f"{other}: 93 imported, 0 were there before\n"
    bob.join(other)
    copy = bob.history(other)
    assert said(copy) == said(history)
    assert all(one["sender"]["id"].startswith("i_") and one["room"] == other for one in copy)
    # Page by page, both ways.
    assert said(bob.page(other, limit=50)["messages"]) == said(history)[-50:]
    assert said(bob.page(other, limit=50, after="0-0")["messages"]) == said(history)[:50]
    # Whoever was here before hears of their joining, and of nothing else.
    events = [one for one in bob.poll(before, wait=0)["events"] if one["room"] == other]
    assert [one["type"] for one in events] == ["member.joined"]
    [seen] = [one for one in bob.http.get("/rooms").json()["rooms"] if one["name"] == other]
    assert (seen["unread"], seen["lastMessage"]["id"]) == (0, copy[-1]["id"])
    # A second time, though people are there by now, changes nothing; something new would not come in any more.
    assert operator.run("import", str(file), "--room", other) == f"{other}: 0 imported, 93 were there before\n"
    assert said(bob.history(other)) == said(history)
    with file.open("a") as more:
        more.write(json.dumps({**history[0], "id": "another"}) + "\n")
    assert f"somebody belongs to the room {other}" in operator.run("import", str(file), "--room", other, code=1)
    ada.join(other)
    assert ada.send(other, "goes on")["cursor"] != ""
    assert said(bob.history(other)[:-1]) == said(history)


def test_killed_in_the_middle_it_is_imported_whole_the_next_time(
    operator: Operator, ada: Person, tmp_path: Path
) -> None:
    other = new_name()
    document = {"room": "x", "sender": {"id": "u_1", "name": "Zoë"}, "editedAt": None, "deletedAt": None, "data": None}
    documents = [
        {
            **document,
            "id": f"id-{number}",
            "body": f"number {number}",
            "createdAt": f"2024-01-01T10:00:{number // 100:02d}Z",
        }
        for number in range(3_000)
    ]
    file = tmp_path / "many.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in documents))
    imported = "sender_id LIKE 'i\\_%' ESCAPE '\\'"
    before = operator.count("messages", imported)
    process = operator.start("import", str(file), "--room", other)
    wait_until(lambda: operator.count("messages", imported) > before, what="the first ones")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    # Nobody comes in before it is whole.
    assert ada.http.get(f"/rooms/{other}").status_code == 404
    out = operator.run("import", str(file), "--room", other)
    new, known = (int(part.split()[0].replace(",", "")) for part in out.partition(": ")[2].split(", ", 1))
    assert known > 0
    assert new + known == 3_000
    assert [one["body"] for one in ada.history(other)] == [one["body"] for one in documents]


def test_a_page_to_read(operator: Operator, ada: Person, tmp_path: Path) -> None:
    room = ada.create_room()
    ada.send(room, "<script>alert(1)</script> & more")
    ada.http.delete(f"/messages/{ada.send(room, 'gone')['id']}")
    page = operator.run("export", room, "--format", "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    assert "<script" not in page
    assert "gone" not in page
    assert page.startswith("<!doctype html>")
    assert "color-scheme: light dark" in page
    assert page.endswith("</html>\n")


def test_what_cannot_be_is_said_in_one_line(operator: Operator, ada: Person, tmp_path: Path) -> None:
    assert "there is no room no-such" in operator.run("export", "no-such", code=1)
    bad = tmp_path / "bad.jsonl"
    good = {
        "id": "1",
        "room": "x",
        "sender": {"id": "a", "name": "A"},
        "body": "b",
        "createdAt": "2024-01-01T10:00:00Z",
    }
    odd = [{**good, "id": "2", "body": " \x00 "}, {**good, "id": "3", "createdAt": "2999-01-01T10:00:00Z"}, {}, 5]
    bad.write_text("{\n" + "".join(json.dumps(one) + "\n" for one in [good, *odd]))
    other = new_name()
    process = operator.start("import", str(bad), "--room", other, "--format", "chatapp")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, f"{other}: 1 imported, 0 were there before\n")
    assert err.splitlines() == [
        "line 1: it is no JSON",
        "line 3: it says nothing",
        "line 4: its time lies in the future, or before 1970",
        "line 5: it is no message of an export",
        "line 6: it is no JSON object",
    ]
    room = ada.create_room()
    assert f"somebody belongs to the room {room}" in operator.run(
        "import", str(bad), "--room", room, "--format", "chatapp", code=1
    )
    assert "no room can be called" in operator.run("import", str(bad), "--room", "Ä", "--format", "chatapp", code=1)
    assert "No such file or directory" in operator.run("export", room, "--output", "/no-such/folder/x", code=1)


def test_what_meets_or_is_private_is_decided_before_anything_is_written(
    operator: Operator, ada: Person, tmp_path: Path
) -> None:
    mark = secrets.token_hex(4)
    file = tmp_path / "bulk.jsonl"
    post = {"team": "t", "user": "cyd", "message": "hello", "create_at": 1_700_000_001_000}

    def holds(*channels: tuple[str, str]) -> None:
        rows: list[Any] = [{"type": "version", "version": 1}]
        rows += [{"type": "channel", "channel": {"team": "t", "name": name, "type": of}} for name, of in channels]
        rows += [{"type": "post", "post": {**post, "channel": name}} for name, _ in channels]
        file.write_text("".join(json.dumps(one) + "\n" for one in rows))

    before = operator.count("rooms"), operator.count("messages")
    holds((f"dev_{mark}", "O"), (f"dev-{mark}", "O"))
    assert f"would both be the room dev-{mark}" in operator.run("import", str(file), code=1)
    holds((f"one-{mark}", "O"), (f"two-{mark}", "O"))
    assert "choose one with --channel" in operator.run("import", str(file), "--room", f"x-{mark}", code=1)
    assert (operator.count("rooms"), operator.count("messages")) == before

    holds((f"dev_{mark}", "O"), (f"dev-{mark}", "O"), (f"secret-{mark}", "P"))
    out = operator.run("import", str(file), "--channel", f"dev_{mark}", "--room", f"under-{mark}")
    assert out == f"under-{mark}: 1 imported, 0 were there before\n"
    holds((f"open-{mark}", "O"), (f"secret-{mark}", "P"))
    process = operator.start("import", str(file))
    out, err = process.communicate(timeout=60)
    assert out == f"open-{mark}: 1 imported, 0 were there before\n"
    assert "1 of private channels were left out" in err
    assert operator.count("rooms", "name = :name", name=f"secret-{mark}") == 0
    operator.run("import", str(file), "--channel", f"secret-{mark}", "--private")
    rooms = dict(operator.rows(f"SELECT name, visibility FROM rooms WHERE name LIKE '%-{mark}'"))
    assert rooms == {f"under-{mark}": "public", f"open-{mark}": "public", f"secret-{mark}": "private"}


def test_a_channel_whose_name_leaves_nothing_has_one_and_its_own_as_title(
    operator: Operator, ada: Person, tmp_path: Path
) -> None:
    file = tmp_path / "日本語.log"
    file.write_text("2026-01-01 09:00:05\tcyd\thello\n")
    name = operator.run("import", str(file)).partition(":")[0]
    assert name.startswith("channel-")
    assert ada.http.get(f"/rooms/{name}").json()["title"] == "日本語"
