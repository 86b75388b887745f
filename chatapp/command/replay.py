"""`chatapp replay`: a recorded conversation, sent again through the public API as its own people."""

import secrets
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from chatapp.client import Away
from chatapp.client import ChatError
from chatapp.client import Client
from chatapp.client import Refused
from chatapp.command.ending import by_one_line
from chatapp.command.recording import Line
from chatapp.command.recording import RecordingError
from chatapp.command.recording import paced
from chatapp.command.recording import read
from chatapp.command.visit import DEFAULT_URL
from chatapp.command.visit import reach

# One outage may last this long (a restart takes seconds) before the replay gives up.
OUTAGE_MAX_S = 120.0
AGAIN_S = 1.0
# How many people are connected at once; whoever was silent for longest comes back when they speak again.
CLIENTS_MAX = 32
# How long somebody is seen to type, of the time of the recording and at most.
TYPED_PER_S = 12.0
TYPING_MAX_S = 1.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that the service refused, and why."""

    number: int
    nick: str
    reason: str


class Replay:
    """Sends line after line, each after the answer to the one before, so that their order stands."""

    def __init__(self, url: str, room: str, speed: float, *, typing: bool = False) -> None:
        self._url = url
        self._room = room
        self._speed = speed
        self._typing = typing
        # Part of each localId of this run: a line that is sent again after an outage is the same message.
        self._run = secrets.token_hex(4)
        # By nick, those who spoke last come last.
        self._clients: OrderedDict[str, Client] = OrderedDict()
        self._tokens: dict[str, str] = {}
        # Nicks that the service does not take for a name, each with the reason.
        self._nameless: dict[str, str] = {}

    def run(self, file: Path, limit: int | None = None) -> list[Rejected]:
        """Play the file, showing a progress bar. Returns the lines that were refused.

        Raises RecordingError, NoAnswer and ChatError.
        """
        lines = list(read(file))[:limit]
        reach(self._url)
        rejected: list[Rejected] = []
        pace = paced(lines, self._speed)
        try:
            with click.progressbar(pace, length=len(lines), label=self._room, file=sys.stderr) as bar:
                for line in bar:
                    reason = self._say(line)
                    if reason is not None:
                        rejected.append(Rejected(line.number, line.nick, reason))
        finally:
            for client in self._clients.values():
                _close(client)
        return rejected

    def _say(self, line: Line) -> str | None:
        """Send one line. Returns why it was refused, or None."""
        client = self._client(line.nick)
        if client is None:
            return self._nameless[line.nick]
        if self._typing:
            # Whether that was heard does not matter.
            with suppress(ChatError):
                client.typing(self._room)
            time.sleep(min(TYPING_MAX_S, len(line.body) / TYPED_PER_S / self._speed))
        try:
            client.send(self._room, line.body, local_id=f"replay-{self._run}-{line.number:06d}").wait(OUTAGE_MAX_S)
        except Refused as refusal:
            return reason_of(refusal)
        return None

    def _client(self, nick: str) -> Client | None:
        """Who says it, or None if the nick is no name: then its lines are passed over."""
        if nick in self._nameless:
            return None
        if (known := self._clients.get(nick)) is not None:
            self._clients.move_to_end(nick)
            return known
        if len(self._clients) >= CLIENTS_MAX:
            _close(self._clients.popitem(last=False)[1])
        client = self._clients[nick] = self._new(nick)
        if nick not in self._tokens and not _outlasting(lambda: self._enters(client, nick)):
            _close(self._clients.pop(nick))
            return None
        return client

    def _new(self, nick: str) -> Client:
        token = self._tokens.get(nick)
        return Client(self._url, name=nick) if token is None else Client(self._url, token)

    def _enters(self, client: Client, nick: str) -> bool:
        """Sign in and join. Whether the nick is a name."""
        try:
            client.me()
        except Refused as refusal:
            if refusal.problem.errors:
                self._pass_over(nick, reason_of(refusal))
                return False
            raise
        self._tokens[nick] = client.token or ""
        try:
            client.join(self._room)
        except Refused as refusal:
            if refusal.code != "not_found":
                raise
            client.create_room(self._room)
        return True

    def _pass_over(self, nick: str, reason: str) -> None:
        self._nameless[nick] = reason
        # On a terminal the progress bar holds the line.
        below = "\n" if sys.stderr.isatty() else ""
        click.echo(f"{below}{nick!a} is passed over: {reason}", err=True)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", envvar="CHATAPP_URL", default=DEFAULT_URL, show_default=True, help="Where the service is.")
@click.option("--room", default="general", show_default=True, help="Where to say it; a public room is made if need be.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="How many times faster than it was recorded. Silences are cut to 5 s.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many lines.")
@click.option("--typing", is_flag=True, help="Show who is writing before each message.")
def replay(file: Path, url: str, room: str, speed: float, limit: int | None, *, typing: bool) -> None:
    """Send a recorded conversation through the public API, as its own people.

    FILE holds one JSON object a line: {"day", "at", "nick", "body"}.
    """
    try:
        with by_one_line():
            rejected = Replay(url, room, speed, typing=typing).run(file, limit)
    except RecordingError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        raise click.ClickException("interrupted") from None
    if rejected:
        click.echo("1 line was refused:" if len(rejected) == 1 else f"{len(rejected)} lines were refused:")
        for line in rejected:
            click.echo(f"  line {line.number}, {_printable(line.nick)}: {line.reason}")


def reason_of(refusal: Refused) -> str:
    """For people: which fields are wrong, or what else is."""
    fields = refusal.problem.errors.items()
    return "; ".join(f"{name}: {' '.join(texts)}" for name, texts in fields) or refusal.detail


def _outlasting(work: Callable[[], T]) -> T:
    """What the client has given up is tried again, for as long as an outage may last. Raises Away."""
    gives_up_s = time.monotonic() + OUTAGE_MAX_S
    while True:
        try:
            return work()
        except Away:
            if time.monotonic() > gives_up_s:
                raise
        time.sleep(AGAIN_S)


def _close(client: Client) -> None:
    with suppress(Away):
        client.close(0)


def _printable(nick: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in nick)
