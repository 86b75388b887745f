"""The programs of `examples/`, as they stand there, against a real service."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import expect

from tests.conftest import Start
from tests.support.person import Person
from tests.support.processes import Process
from tests.support.processes import answers
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.service import ROOT
from tests.support.service import Service
from tests.support.stream import EventStream

EXAMPLES = ROOT / "examples"
SECRET = "that both the site and the chat know"


@pytest.fixture(scope="module")
def site_url() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def chat(start_service: Start, site_url: str) -> Service:
    return start_service("postgres", CHATAPP_JWT_SECRET=SECRET, CHATAPP_ORIGINS=site_url)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


def command(name: str, *words: str) -> list[str]:
    return [sys.executable, str(EXAMPLES / name), *words]


def env(chat: Service, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "CHATAPP_URL": chat.url, "CHATAPP_JWT_SECRET": SECRET, **more}


@pytest.fixture
def site(chat: Service, site_url: str, here: Path) -> Iterator[str]:
    flask = str(Path(sys.executable).parent / "flask")
    port = site_url.rpartition(":")[2]
    process = Process(
        [flask, "--app", str(EXAMPLES / "host_app.py"), "run", "--port", port], here / "site.log", env(chat), here
    )
    wait_until(lambda: answers(site_url), what="the site")
    yield site_url
    process.stop()
    assert "Traceback" not in process.output()


def test_a_site_shows_its_people_a_room(site: str, chat: Service, browser: Browser, here: Path) -> None:
    ada, grace = (browser.new_context().new_page() for _ in range(2))
    try:
        for page, name in ((ada, "Ada Lovelace"), (grace, "Grace Hopper")):
            page.goto(site)
            page.get_by_role("button", name=name).click()
            expect(page.get_by_role("heading")).to_have_text(f"Hello {name}")
        ada.get_by_label("Message").fill("hello from the site")
        ada.get_by_role("button", name="Send").click()
        for page in (ada, grace):
            expect(page.locator("#messages li")).to_have_text(["Ada Lovelace: hello from the site"])
        # The chat is gone for a moment: nothing is lost or shown twice.
        chat.kill_workers()
        grace.get_by_label("Message").fill("still there")
        grace.get_by_role("button", name="Send").click()
        both = ["Ada Lovelace: hello from the site", "Grace Hopper: still there"]
        for page in (ada, grace):
            expect(page.locator("#messages li")).to_have_text(both, timeout=30_000)
        # Said twice, with a key, it is one notification, and nobody else's.
        for _ in range(2):
            words = ("ada", "Your parcel is here", "parcel-7")
            subprocess.run(command("notify.py", *words), env=env(chat), cwd=here, check=True)
        expect(ada.locator("#notices li")).to_have_text(["Notifications: Your parcel is here"])
        grace.reload()
        expect(grace.locator("#messages li")).to_have_text(both)
        expect(grace.locator("#notices li")).to_have_count(0)
    finally:
        ada.context.close()
        grace.context.close()


def test_a_feed_loses_nothing(chat: Service, here: Path) -> None:
    room = f"scores-{os.getpid()}"
    lines = ['{"home": 1, "away": 0}', "half time", '{"home": 1, "away": 1}']
    with subprocess.Popen(command("feed.py", room), env=env(chat), cwd=here, stdin=subprocess.PIPE, text=True) as feed:
        assert feed.stdin is not None
        feed.stdin.write("\n".join(lines) + "\n")
        feed.stdin.close()
        assert feed.wait(60) == 0
    with Person(chat.url, "Reader") as reader:
        history = reader.page(room)["messages"]
        assert [one["body"] for one in history] == lines
        assert [one["data"] for one in history] == [{"home": 1, "away": 0}, None, {"home": 1, "away": 1}]


def test_a_job_is_watched_for_nothing(chat: Service, here: Path) -> None:
    sys.path.insert(0, str(EXAMPLES))
    try:
        import job
    finally:
        sys.path.remove(str(EXAMPLES))
    room = f"builds-{os.getpid()}"
    with Person(chat.url, "Watcher") as watcher:
        running = subprocess.Popen(
            command("job.py", room, "4"), env=env(chat, STEP_SECONDS="0.3"), cwd=here, stdout=subprocess.PIPE, text=True
        )
        assert running.stdout is not None
        id_ = running.stdout.readline().strip()
        answered: list[int] = []
        watcher.http.event_hooks["response"].append(lambda answer: answered.append(answer.status_code))
        states = list(job.watch(watcher.http, id_, every_s=0.05))
        assert running.wait(30) == 0
        running.stdout.close()
        done = [one["done"] for one in states]
        assert done == sorted(set(done))
        assert states[-1] == {"done": 4, "of": 4}
        assert set(answered) == {200, 304}
        assert answered.count(200) == len(states)
        assert watcher.message(id_)["body"] == "Building: 100 %"


@contextmanager
def oracle(chat: Service, here: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command("answer.py", "general"), env=env(chat), cwd=here)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_an_answer_grows_and_survives_its_author(chat: Service, here: Path) -> None:
    with Person(chat.url, "Curious") as curious, curious.stream() as stream:
        stream.until("ready")
        with oracle(chat, here):
            # It listens from then on. The log and presence come by two ways, in any order.
            while "Oracle" not in online(stream):
                stream.next(30)
            question = curious.send("general", "? Will it rain")
            stream.until("message.grew")
        # Killed in the middle of it.
        with oracle(chat, here):
            wait_until(lambda: not any(one["growing"] for one in replies(curious, question)), what="the whole answer")
        [answer] = replies(curious, question)
        assert answer["body"].strip() == "You asked: Will it rain I would say that it depends."


def online(stream: EventStream) -> set[str]:
    """Who was told to be here by now."""
    told = [one for event in stream.seen if event.type == "presence" for one in event.data["changes"]]
    return {one["user"]["name"] for one in told if one["online"]}


def replies(person: Person, question: dict[str, Any]) -> list[dict[str, Any]]:
    messages = person.page("general")["messages"]
    return [one for one in messages if (one["data"] or {}).get("replyTo") == question["id"]]


def test_the_page_of_docs_shows_what_is_run() -> None:
    """Each piece of Python in it stands in the examples, line by line."""
    text = (ROOT / "docs" / "publishing.md").read_text()
    programs = "\n".join(path.read_text() for path in EXAMPLES.glob("*.py"))
    lines = {line.strip() for line in programs.splitlines()}
    shown = [
        line.strip() for piece in re.findall(r"```python\n(.*?)```", text, re.DOTALL) for line in piece.splitlines()
    ]
    assert len(shown) >= 10
    assert [line for line in shown if line not in lines] == []
