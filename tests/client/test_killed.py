"""A process that is killed at any point of its life, and started again: each message is stored once, in order."""

import random
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.person import Person
from tests.support.processes import Process
from tests.support.processes import wait_until
from tests.support.service import ROOT
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

WITHIN_S = 30.0
COUNT = 60
KILLS = 4

# Says all numbers, the first ones again after each start; they are known by their localId.
WRITER = f"""
import sys
from chatapp.client import Client
url, token, room = sys.argv[1:]
client = Client(url, token, outbox="outbox.db")
print("open", flush=True)
for number in range({COUNT}):
    client.send(room, str(number), local_id=f"number-{{number:04}}")
print("taken", flush=True)
client.flush()
print("sent", flush=True)
sys.stdin.readline()
"""
ASYNC_WRITER = f"""
import asyncio, sys
from chatapp.client import AsyncClient
url, token, room = sys.argv[1:]
async def main():
    async with AsyncClient(url, token, outbox="outbox.db") as client:
        print("open", flush=True)
        for number in range({COUNT}):
            client.send(room, str(number), local_id=f"number-{{number:04}}")
            await asyncio.sleep(0)
        print("taken", flush=True)
        await client.flush()
        print("sent", flush=True)
asyncio.run(main())
"""
# Notes each event it hears in a file, and only then asks for the next.
READER = """
import sys
from chatapp.client import Client
url, token, room = sys.argv[1:]
with Client(url, token, outbox="outbox.db") as client, open("heard", "a") as heard:
    for event in client.listen([room], since="0-0", keep="reader"):
        if event.type == "message.created":
            heard.write(event.message.body + "\\n")
            heard.flush()
"""

Run = Callable[..., Process]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Starts a program, with what it said before forgotten."""
    processes: list[Process] = []

    def start(program: str, *arguments: str) -> Process:
        (tmp_path / "log").unlink(missing_ok=True)
        command = [sys.executable, "-c", program, *arguments]
        process = Process(command, tmp_path / "log", {"PYTHONPATH": str(ROOT)}, tmp_path)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()


def says(process: Process, word: str) -> None:
    wait_until(lambda: word in process.output() or process.popen.poll() is not None, WITHIN_S, f"{word!r}")
    assert word in process.output(), process.output()


def bodies(who: Person, room: str) -> list[str]:
    return [one["body"] for one in who.history(room)]


ALL = [str(number) for number in range(COUNT)]


@pytest.mark.parametrize("program", [WRITER, ASYNC_WRITER], ids=["threads", "asyncio"])
def test_a_writer_killed_at_random(run: Run, ada: Person, own_room: str, program: str) -> None:
    arguments = (program, ada.url, ada.token, own_room)
    for _ in range(KILLS):
        process = run(*arguments)
        says(process, "open")
        time.sleep(random.uniform(0.0, 0.25))  # the fault itself, not a wait for something
        process.kill()
    says(run(*arguments), "sent")
    assert bodies(ada, own_room) == ALL


def test_a_writer_killed_before_anything_went_out(run: Run, ada: Person, own_room: str, proxy: TcpProxy) -> None:
    proxy.cut()
    process = run(WRITER, proxy.url, ada.token, own_room)
    says(process, "taken")
    process.kill()
    assert bodies(ada, own_room) == []
    proxy.restore()
    # It says nothing new: what goes out is what the one before had left.
    says(run(WRITER.replace(f"range({COUNT})", "range(0)"), proxy.url, ada.token, own_room), "sent")
    assert bodies(ada, own_room) == ALL


def test_a_writer_killed_between_the_commit_and_the_answer(
    run: Run, ada: Person, own_room: str, proxy: TcpProxy
) -> None:
    proxy.swallow_replies(WITHIN_S)
    process = run(WRITER, proxy.url, ada.token, own_room)
    wait_until(lambda: bodies(ada, own_room) == ["0"], WITHIN_S, "the commit")
    process.kill()
    proxy.heal()
    says(run(WRITER, proxy.url, ada.token, own_room), "sent")
    assert bodies(ada, own_room) == ALL


def test_a_second_process_on_the_file_says_so(run: Run, ada: Person, own_room: str, proxy: TcpProxy) -> None:
    proxy.cut()
    says(run(WRITER, proxy.url, ada.token, own_room), "taken")
    second = run(WRITER, proxy.url, ada.token, own_room)
    assert second.wait(WITHIN_S) == 1
    assert second.output().splitlines()[-1].endswith("outbox.db is in use: one client at a time sends from it")


def test_a_reader_killed_at_random(run: Run, ada: Person, own_room: str, tmp_path: Path, service: Service) -> None:
    heard = tmp_path / "heard"
    heard.touch()
    arguments = (READER, service.url, ada.token, own_room)
    said: list[str] = []
    for _ in range(KILLS):
        process = run(*arguments)
        count = len(heard.read_text().splitlines())
        for _ in range(10):
            said.append(str(len(said)))
            ada.send(own_room, said[-1])
        # In the middle of what it has to catch up with.
        wait_until(lambda count=count: len(heard.read_text().splitlines()) > count, WITHIN_S, process.output())
        process.kill()
    run(*arguments)
    wait_until(lambda: heard.read_text().splitlines()[-1:] == said[-1:], WITHIN_S)
    lines = heard.read_text().splitlines()
    # No gap and no disorder; at most the one that was being noted when it was killed comes twice.
    assert list(dict.fromkeys(lines)) == said
    assert len(lines) <= len(said) + KILLS
    assert all(lines.count(line) <= 2 for line in lines)
