"""The command line, as people and scripts use it: what is said, where, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jwt
import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.service import ROOT
from tests.support.service import Service
from tests.support.session_expiry import set_expiry

PROGRAM = str(Path(sys.executable).parent / "chatapp")
ESCAPE = "\x1b["
SECRET = "a secret of thirty-two characters"


class Shell:
    """A user's shell: a home, a folder, an environment."""

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), **env}

    def run(self, *words: str, given: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words],
            cwd=self.home,
            env={**self.env, **env},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def said(self, *words: str, **env: str) -> str:
        done = self.run(*words, **env)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        out = (self.home / "out").open("w")
        process = subprocess.Popen(
            [PROGRAM, *words], cwd=self.home, env=self.env, stdout=out, stderr=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            out.close()
            process.stderr and process.stderr.close()

    def out(self) -> str:
        return (self.home / "out").read_text()


# Commands are the same over all databases and carriers.
@pytest.fixture(scope="module")
def service(shared: Callable[[str], Service]) -> Service:
    return shared("sqlite")


@pytest.fixture
def shell(tmp_path: Path, service: Service) -> Shell:
    return Shell(tmp_path, CHATAPP_URL=service.url)


def test_a_message_is_sent_once(shell: Shell, ada: Person) -> None:
    room = ada.create_room()
    first = shell.said("send", room, "two", "words", "--local-id", "nightly-0001").strip()
    again = shell.said("send", room, "two", "words", "--local-id", "nightly-0001").strip()
    assert first == again
    piped = shell.run("send", room, given="of a pipe\nin two lines\n")
    assert piped.returncode == 0
    assert [one["body"] for one in ada.history(room)] == ["two words", "of a pipe\nin two lines"]
    # The same guest each time, by the name that was asked for; nobody else may read who that is.
    assert len({one["sender"]["id"] for one in ada.history(room)}) == 1
    assert shell.run("send", room, "hello", "--name", "Build").returncode == 0
    assert ada.history(room)[-1]["sender"]["name"] == "Build"
    kept = [path for path in shell.home.rglob("guests/*") if path.is_file()]
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600] * 2


def test_how_it_ends_tells_a_script_what_happened(shell: Shell, ada: Person) -> None:
    private = ada.create_room("private")
    refused = shell.run("send", private, "hello")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert re.fullmatch(r"Error: not_found: .+\n", refused.stderr)
    assert shell.run("send", "general", "").returncode == 1
    assert shell.run("send").returncode == 2
    assert shell.run("tail", private).returncode == 1
    nobody = f"http://127.0.0.1:{free_port()}"
    for words in (("tail", "general"), ("create-room", "elsewhere"), ("replay", str(ROOT / "data/ubuntu-irc.jsonl"))):
        away = shell.run(*words, CHATAPP_URL=nobody)
        assert (away.returncode, away.stdout) == (3, "")
        assert away.stderr == f"Error: nothing answers at {nobody}: is --url right?\n"
    wrong = shell.run("tail", "general", CHATAPP_URL="nonsense")
    assert wrong.returncode in (1, 3)
    assert wrong.stderr.count("\n") == 1


def test_a_tail_goes_on_where_it_was(shell: Shell, ada: Person, bob: Person) -> None:
    room = ada.create_room()
    bob.join(room)
    for number in range(15):
        ada.send(room, f"before {number}")
    with shell.started("tail", room, "-n", "3", "--keep", "position") as tail:
        wait_until(lambda: "before 14" in shell.out(), what="the last ones")
        bob.send(room, "live\nin two lines")
        wait_until(lambda: "in two lines" in shell.out(), what="a live one")
        lines = shell.out().splitlines()
        assert [re.sub(r"^\d\d:\d\d ", "", line) for line in lines] == [
            *(f"Ada: before {number}" for number in (12, 13, 14)),
            "Bob: live",
            "      in two lines",
        ]
        assert re.match(r"\d\d:\d\d Ada", lines[0])
        wait_until(lambda: (shell.home / "position").exists(), what="the position")
        tail.kill()
        tail.wait()
    ada.send(room, "while it was away")
    with shell.started("tail", room, "--keep", "position") as tail:
        wait_until(lambda: "while it was away" in shell.out(), what="the missed one")
        # The one that was being shown when it was killed may come again; none is missing, and none from before it.
        assert "before" not in shell.out()
        tail.send_signal(signal.SIGINT)
        assert tail.wait(60) == 130
        assert tail.stderr is not None
        [_, told] = tail.stderr.read().splitlines()
        cursor = (shell.home / "position").read_text().strip()
        assert told == f"to go on: chatapp tail {room} --since {cursor}"


def test_a_tail_that_begins_now_keeps_that_at_once(shell: Shell, ada: Person) -> None:
    room = ada.create_room()
    ada.send(room, "before")
    with shell.started("tail", room, "-n", "0", "--keep", "position") as tail:
        wait_until(lambda: (shell.home / "position").exists(), what="the position")
        tail.kill()
        tail.wait()
    ada.send(room, "while it was away")
    with shell.started("tail", room, "-n", "0", "--keep", "position"):
        wait_until(lambda: "while it was away" in shell.out(), what="the missed one")
        assert "before" not in shell.out()


def test_a_tail_says_each_thing_once(shell: Shell, ada: Person) -> None:
    room = ada.create_room()

    def grown(words: str) -> None:
        document = {"localId": new_local_id(), "body": "", "data": None, "growing": True}
        id_ = ada.http.post(f"/rooms/{room}/messages", json=document).json()["id"]
        assert ada.http.post(f"/messages/{id_}/finish", json={"body": words}).status_code == 200

    def edited(words: str) -> None:
        id_ = ada.send(room, "in other words")["id"]
        if (shell.home / "out").exists():
            wait_until(lambda: "in other words" in shell.out(), what="the first words")
        assert ada.http.patch(f"/messages/{id_}", json={"body": words}).status_code == 200

    grown("a reply from before")
    edited("an edit from before")
    ada.http.request("DELETE", f"/messages/{ada.send(room, 'withdrawn before')['id']}")
    with shell.started("tail", room):
        wait_until(lambda: "withdrew" in shell.out(), what="what was before")
        grown("a live reply")
        edited("a live edit")
        gone = ada.send(room, "soon gone")["id"]
        wait_until(lambda: "soon gone" in shell.out(), what="what is withdrawn next")
        ada.http.request("DELETE", f"/messages/{gone}")
        wait_until(lambda: shell.out().count("withdrew") == 2, what="the withdrawal")
        ada.send(room, "the end")
        wait_until(lambda: "the end" in shell.out(), what="the end")
        assert [re.sub(r"^\d\d:\d\d ", "", line) for line in shell.out().splitlines()] == [
            "      * Ada joined",
            "Ada: a reply from before",
            "Ada (edited): an edit from before",
            "Ada withdrew a message",
            "Ada: a live reply",
            "Ada: in other words",
            "Ada (edited): a live edit",
            "Ada: soon gone",
            "Ada withdrew a message",
            "Ada: the end",
        ]


def test_a_send_without_an_answer_can_be_repeated(shell: Shell, ada: Person) -> None:
    room = ada.create_room()
    assert shell.run("send", room, "who I am").returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started_s = time.monotonic()
        nobody = f"http://127.0.0.1:{silent.getsockname()[1]}"
        away = shell.run("send", room, "once", "--wait", "0.5", CHATAPP_URL=nobody)
    # Nothing else has a patience of its own.
    assert time.monotonic() - started_s < 15
    assert (away.returncode, away.stdout) == (3, "")
    found = re.fullmatch(r"Error: no answer within 0\.5 s, .+ (--local-id=\S+)\n", away.stderr)
    assert found is not None
    first = shell.said("send", room, "once", found[1])
    assert shell.said("send", room, "once", found[1]) == first
    assert [one["body"] for one in ada.history(room)] == ["who I am", "once"]


def test_a_guest_is_the_same_after_the_session_s_end(shell: Shell, ada: Person, service: Service) -> None:
    room = ada.create_room()
    assert shell.run("send", room, "hello").returncode == 0
    [kept] = [path for path in shell.home.rglob("guests/*") if path.is_file()]
    former = kept.read_text().strip()
    with Person(service.url, token=former) as guest:
        set_expiry(service, guest, -1)
        wait_until(lambda: guest.http.get("/session").status_code == 401, 25, "the end of the session")
    assert shell.run("send", room, "again").returncode == 0
    # As after a crash of a version that wrote in place.
    kept.write_text("")
    assert shell.run("send", room, "as another").returncode == 0
    first, second, third = (one["sender"]["id"] for one in ada.history(room))
    assert first == second != third
    assert list(kept.parent.iterdir()) == [kept]


def test_what_cannot_be_read_or_written_is_one_line(shell: Shell, ada: Person) -> None:
    room = ada.create_room()
    (shell.home / "bytes").write_bytes(b"\xff\xfe")
    (shell.home / "empty").touch()
    (shell.home / "folder").mkdir()
    for words in (
        ("send", room, "x", "--token-file", "bytes"),
        ("send", room, "x", "--token-file", "empty"),
        ("send", room, "x", "--url", "http://ada:secret@127.0.0.1"),
        ("tail", room, "--url", "http://ada:secret@127.0.0.1"),
        ("tail", room, "--keep", "no/such/folder"),
        ("tail", room, "--keep", "bytes"),
    ):
        done = shell.run(*words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert re.fullmatch(r"Error: .+\n", done.stderr), words
        assert "secret" not in done.stderr
    assert shell.run("tail", room, "--keep", "folder").returncode == 2
    # Nobody's home. What was said stands.
    homeless = shell.run("send", room, "from nowhere", HOME="/dev/null")
    assert homeless.returncode == 0
    assert re.fullmatch(r"Warning: .+/dev/null.+\n", homeless.stderr)


def test_what_is_piped_in_may_be_anything(shell: Shell, ada: Person) -> None:
    room = ada.create_room()
    for command in (r"printf 'a \xff b\r\n'", "yes"):
        piped = subprocess.run(
            ["bash", "-c", f"{command} | {PROGRAM} send {room}"],
            env=shell.env,
            cwd=shell.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if command == "yes":
            assert piped.returncode == 1
            assert re.fullmatch(r"Error: .+ longer than 65536 bytes\n", piped.stderr)
    assert [one["body"] for one in ada.history(room)] == ["a \ufffd b"]


def test_a_tail_for_programs(shell: Shell, ada: Person) -> None:
    room = ada.create_room()
    sent = ada.send(room, "as JSON")
    with shell.started("tail", room, "--json", "--since", "0-0"):
        wait_until(lambda: "as JSON" in shell.out(), what="the message")
    events = [json.loads(line) for line in shell.out().splitlines()]
    [created] = [one for one in events if one["type"] == "message.created"]
    assert created["message"]["id"] == sent["id"]
    assert all(one["room"] == room for one in events)


def test_whoever_has_enough_ends_it_quietly(shell: Shell, ada: Person) -> None:
    room = ada.create_room()
    for number in range(3):
        ada.send(room, f"line {number}")
    command = f"{PROGRAM} tail {room} | head -n 1; exit ${{PIPESTATUS[0]}}"
    tail = subprocess.Popen(
        ["bash", "-c", command], env=shell.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    # A pipe that nobody reads is noticed when something is written to it.
    wait_until(lambda: ada.send(room, "more") and tail.poll() is not None, what="the end")
    out, err = tail.communicate()
    assert (tail.returncode, out.count("\n"), err) == (0, 1, "")


def test_a_room_is_made_once(shell: Shell, ada: Person) -> None:
    name = f"made-{ada.id[-8:]}"
    assert shell.said("create-room", name, "--title", "Made by a script").strip() == name
    assert shell.said("create-room", name).strip() == name
    taken = shell.run("create-room", ada.create_room())
    assert (taken.returncode, taken.stderr.startswith("Error: room_exists: ")) == (1, True)


def test_a_host_s_token_for_trials(start_service: Start, tmp_path: Path) -> None:
    service = start_service("sqlite", CHATAPP_JWT_SECRET=SECRET)
    shell = Shell(tmp_path, CHATAPP_URL=service.url, CHATAPP_JWT_SECRET=SECRET)
    token = shell.said("token", "ada", "--name", "Ada Lovelace", "--rooms", "engines,letters", "--for", "15m").strip()
    claims = jwt.decode(token, SECRET, ["HS256"])
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("ada", 900)
    who = httpx.get(f"{service.url}/api/v1/session", headers={"Authorization": f"Bearer {token}"}).json()
    assert who["user"] == {"id": "h_ada", "name": "Ada Lovelace"}
    assert shell.run("send", "engines", "hello", CHATAPP_TOKEN=token).returncode == 0
    (tmp_path / "token").write_text(f"{token}\n")
    assert shell.run("send", "letters", "hello", "--token-file", "token").returncode == 0
    assert shell.run("send", "general", "hello", CHATAPP_TOKEN=token).returncode == 1
    without = shell.run("token", "ada", CHATAPP_JWT_SECRET="")
    assert (without.returncode, without.stdout) == (1, "")
    assert "CHATAPP_JWT_SECRET" in without.stderr
    assert shell.run("token", "ada", "--for", "soon").returncode == 2


def test_every_setting_is_shown_and_no_secret(tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "postgresql://chat:hidden1@db/chat",
        "SECRET_KEY": "hidden2 and long enough",
        "PORT": "1234",
    }
    shell = Shell(
        tmp_path, **given, REDIS_URL="redis://:hidden3@redis/0", SENTRY_DSN="https://hidden4@sentry.example/1"
    )
    text = shell.said("config")
    assert "hidden1" not in text.replace("(hidden)", "")
    assert not re.search(r"hidden\d", text)
    assert re.search(r"^PORT +1234 +environment$", text, re.MULTILINE)
    assert re.search(r"^HOST +127\.0\.0\.1 +default$", text, re.MULTILINE)
    found = json.loads(shell.said("config", "--json"))
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert set(found) == {name for row in rows for name in re.findall(r"[A-Z_]+", row)}
    assert found["REDIS_URL"] == {"value": "redis://:***@redis/0", "source": "environment"}
    # Looking makes nothing.
    assert list(tmp_path.iterdir()) == []
    wrong = shell.run("config", PORT="x")
    assert (wrong.returncode, wrong.stderr) == (1, "chatapp: PORT: 'x' is not a whole number\n")


def test_colours_are_for_a_terminal_that_wants_them(tmp_path: Path) -> None:
    script = f"script -qec '{PROGRAM} config' /dev/null"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PORT": "1234", "TERM": "xterm"}
    shown = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ESCAPE in shown.stdout
    plain = subprocess.run(
        ["bash", "-c", script], env={**env, "NO_COLOR": "1"}, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert ESCAPE not in plain.stdout
    assert ESCAPE not in Shell(tmp_path).said("config")


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_shells_complete_it(shell_name: str, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert "_CHATAPP_COMPLETE" in shell.said("completion", shell_name)
    asked = {"_CHATAPP_COMPLETE": "bash_complete", "COMP_WORDS": "chatapp cre", "COMP_CWORD": "1"}
    assert "create-room" in shell.run(**asked).stdout


def test_flask_knows_it_too(tmp_path: Path) -> None:
    """In the folder of any Flask application."""
    program = str(Path(sys.executable).parent / "flask")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PORT": "1234"}
    done = subprocess.run(
        [program, "chatapp", "config"], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert re.search(r"^PORT +1234 +environment$", done.stdout, re.MULTILINE)
