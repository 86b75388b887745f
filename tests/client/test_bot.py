"""The bot that docs/client.md begins with, as it stands there, killed at random."""

import builtins
import random
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatapp import client
from tests.support.person import Person
from tests.support.processes import Process
from tests.support.processes import wait_until
from tests.support.service import ROOT
from tests.support.service import Service

PAGE = (ROOT / "docs" / "client.md").read_text()
KILLS = 6
WITHIN_S = 30.0


@pytest.fixture
def code() -> str:
    [first, *_] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert "keep=" in first
    assert len(first.splitlines()) <= 16
    return first


class Bot:
    """The process, started again after each kill."""

    def __init__(self, folder: Path, code: str, url: str) -> None:
        self._folder = folder
        self._url = url
        (folder / "bot.py").write_text(code)
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "bot.py", self._url]
        self._process = Process(command, self._folder / "bot.log", {"PYTHONPATH": str(ROOT)}, self._folder)

    def kill_and_start(self) -> None:
        assert self._process.popen.poll() is None, self.output()
        self._process.kill()
        self._start()

    def stop(self) -> None:
        self._process.kill()

    def output(self) -> str:
        return self._process.output()


@pytest.fixture
def bot(tmp_path: Path, code: str, service: Service) -> Iterator[Bot]:
    bot = Bot(tmp_path, code, service.url)
    yield bot
    bot.stop()


def is_there(ada: Person) -> bool:
    members = ada.http.get("/rooms/general/members", params={"online": "true", "limit": 1000}).json()["members"]
    return any(one["name"] == "Echo" for one in members)


def test_it_answers_each_message_once_however_often_it_is_killed(bot: Bot, service: Service) -> None:
    with Person(service.url, "Ada") as ada:
        wait_until(lambda: is_there(ada), WITHIN_S, f"the bot: {bot.output()}")
        start = ada.page("general")["cursor"]
        said: list[str] = []
        for _ in range(KILLS):
            for _ in range(5):
                said.append(f"number {len(said)}")
                ada.send("general", said[-1])
            # Any moment will do: while it imports, signs in, hears, notes or sends.
            time.sleep(random.uniform(0.0, 0.8))  # the fault itself, not a wait for something
            bot.kill_and_start()

        def answers() -> list[str]:
            page = ada.page("general", after=start, limit=200)
            return [one["body"] for one in page["messages"] if one["sender"]["name"] == "Echo"]

        wait_until(lambda: len(answers()) >= len(said), WITHIN_S, f"an answer to each: {bot.output()}")
        # Whatever was answered twice would stand before this one.
        ada.send("general", "the last")
        wait_until(lambda: answers()[-1] == "You said: the last", WITHIN_S)
        assert answers() == [f"You said: {one}" for one in [*said, "the last"]]
        assert "Traceback" not in bot.output()


def test_the_page_names_what_there_is() -> None:
    for word in re.findall(r"`([A-Z][A-Za-z]+)`", PAGE):
        assert hasattr(client, word) or hasattr(builtins, word), word
    for listed in re.findall(r"`([a-z_]+)`", PAGE.partition("## Everything else")[2].partition("Each is")[0]):
        assert callable(getattr(client.Client, listed))
        assert callable(getattr(client.AsyncClient, listed))
