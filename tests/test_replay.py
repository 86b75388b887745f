"""The recorded conversation, through the public API as its own people."""

import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatapp.command.cli import chatapp
from chatapp.command.recording import Line
from chatapp.command.recording import RecordingError
from chatapp.command.recording import paced
from chatapp.command.recording import read
from chatapp.command.replay import Replay
from tests.conftest import Start
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.service import ROOT
from tests.support.service import Service

RECORDING = ROOT / "data" / "ubuntu-irc.jsonl"


def write(path: Path, lines: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_the_recording_is_whole() -> None:
    lines = list(read(RECORDING))
    assert len(lines) == 3861
    assert len({line.nick for line in lines}) == 486


def test_a_conversation_arrives_as_it_was_said(service: Service, ada: Person, tmp_path: Path) -> None:
    lines = [json.loads(raw) for raw in RECORDING.read_text().splitlines()[:120]]
    file = write(tmp_path / "part.jsonl", [*lines, {"day": "x", "at": "10:00", "nick": "odd", "body": "a\bb"}])
    room = f"replay-{ada.id[-8:]}"
    result = CliRunner().invoke(
        chatapp, ["replay", str(file), "--url", service.url, "--room", room, "--speed", "1000000"]
    )
    assert result.exit_code == 0, result.output
    assert "1 line was refused:\n  line 121, odd: body: No control characters" in result.output
    ada.join(room)
    stored = [(one["sender"]["name"], one["body"]) for one in ada.history(room)]
    assert stored == [(line["nick"], line["body"]) for line in lines]


def test_who_is_writing_is_shown_before_each_message(service: Service, ada: Person, tmp_path: Path) -> None:
    file = write(tmp_path / "two.jsonl", [{"day": "x", "at": "10:00", "nick": nick, "body": "hello"} for nick in "xy"])
    room = ada.create_room()
    with ada.stream(rooms=room) as stream:
        stream.until("ready")
        options = ["--url", service.url, "--room", room, "--speed", "1000000", "--typing"]
        result = CliRunner().invoke(chatapp, ["replay", str(file), *options])
        assert result.exit_code == 0, result.output
        for nick in "xy":
            typing = stream.until("typing")
            assert (typing.data["user"]["name"], typing.data["typing"]) == (nick, True)
            assert stream.until("message.created").data["message"]["sender"]["name"] == nick


def test_a_nick_that_is_no_name_is_passed_over(service: Service, ada: Person, tmp_path: Path) -> None:
    nicks = ["odd", "\u3164", "odd", "x" * 41, "\u3164", "a\nb", "\ud800", "odd"]
    lines = [{"day": "x", "at": "10:00", "nick": nick, "body": f"{number}"} for number, nick in enumerate(nicks)]
    room = f"nameless-{ada.id[-8:]}"
    file = write(tmp_path / "names.jsonl", lines)
    result = CliRunner().invoke(chatapp, ["replay", str(file), "--url", service.url, "--room", room, "--speed", "1e9"])
    assert result.exit_code == 0, result.output
    said = [line for line in result.stderr.splitlines() if "is passed over" in line]
    assert [line.partition(" is ")[0] for line in said] == [r"'\u3164'", repr("x" * 41), r"'a\nb'", r"'\ud800'"]
    assert said[0].endswith("name: U+3164 may not stand there: it cannot be seen, or is a control character.")
    assert "5 lines were refused:" in result.output
    ada.join(room)
    assert [one["body"] for one in ada.history(room)] == ["0", "2", "7"]


def test_it_survives_a_restart_in_the_middle(start_service: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    # Shorter than the restart: whoever comes in just then has to be patient too.
    monkeypatch.setattr("chatapp.client.asking.PATIENCE_S", 0.2)
    service = start_service("sqlite")
    refused: list[object] = []
    replay = threading.Thread(target=lambda: refused.extend(Replay(service.url, "general", 1e6).run(RECORDING, 150)))
    replay.start()
    with Person(service.url, "Ada") as ada:
        wait_until(lambda: len(ada.page("general", limit=200)["messages"]) > 40)
        service.kill()
        service.start_again()
        replay.join(60)
        assert refused == []
        bodies = [one["body"] for one in ada.history("general")]
        assert bodies == [line.body for line in read(RECORDING)][:150]
    service.stop()


def test_it_obeys_retry_after(start_service: Start, tmp_path: Path) -> None:
    service = start_service("sqlite", CHATAPP_RATE_BURST="3", CHATAPP_RATE_PER_SECOND="5")
    lines = [{"day": "x", "at": "10:00", "nick": "Ada", "body": f"{number}"} for number in range(8)]
    assert Replay(service.url, "general", 1e6).run(write(tmp_path / "fast.jsonl", lines)) == []
    with Person(service.url) as reader:
        assert [one["body"] for one in reader.history("general")] == [f"{number}" for number in range(8)]
    assert service.log().count("Traceback") == 0


@pytest.mark.parametrize("text", ["no json", "[]", '{"at": "10:00"}', '{"at": "x", "nick": "a", "body": "b"}'])
def test_a_line_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(f"\n{text}\n")
    with pytest.raises(RecordingError, match="line 2: not"):
        list(read(file))
    for arguments in (
        [str(file)],
        [str(RECORDING), "--url", "nonsense"],
        [str(RECORDING), "--url", "http://127.0.0.1:1"],
    ):
        result = CliRunner().invoke(chatapp, ["replay", *arguments])
        assert result.exit_code == (1 if arguments == [str(file)] else 3)
        assert result.output.strip().splitlines()[-1].startswith("Error: ")
        assert "Traceback" not in result.output


def test_the_pace_is_that_of_the_recording() -> None:
    lines = [Line(number, minute, "a", "b") for number, minute in enumerate([600, 600, 600, 601, 700, 0])]
    # A million times faster nothing waits; what counts is that every line comes, in order.
    assert list(paced(lines, 1e6)) == lines
