"""`Replay`: a recorded conversation, sent again through the public API as its own people."""

import json
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx

# The longest silence that is played, in seconds of the replay.
SILENCE_MAX_S = 5.0
# One outage may last this long (a restart takes seconds) before the replay gives up.
OUTAGE_MAX_S = 120.0
BACKOFF_FIRST_S = 0.25
BACKOFF_MAX_S = 5.0
# Above the contract's bound for a send (10 s).
REQUEST_TIMEOUT_S = 15.0
# How long somebody is seen to type, of the time of the recording and at most.
TYPED_PER_S = 12.0
TYPING_MAX_S = 1.0


class ReplayError(Exception):
    """The replay cannot go on. The text is one line that says why."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    minute: int
    nick: str
    body: str


@dataclass(frozen=True, slots=True)
class Refused:
    number: int
    nick: str
    reason: str


class Replay:
    """Sends line after line, each after the answer to the one before, so that their order stands."""

    def __init__(self, url: str, room: str, speed: float, *, typing: bool = False) -> None:
        self._client = httpx.Client(base_url=url.rstrip("/") + "/api/v1/", timeout=REQUEST_TIMEOUT_S)
        self._room = room
        self._speed = speed
        self._typing = typing
        # Part of each localId of this run: a line that is sent again after an outage is the same message.
        self._run = secrets.token_hex(4)
        self._tokens: dict[str, str] = {}
        # Nicks that the service does not take for a name, each with the reason.
        self._nameless: dict[str, str] = {}
        # Before the first answer a failure is a wrong address, after it an outage.
        self._reached = False

    def run(self, file: Path, limit: int | None = None) -> list[Refused]:
        """Play the file, showing a progress bar. Returns the lines that were refused. Raises ReplayError."""
        lines = list(read(file))[:limit]
        refused: list[Refused] = []
        pace = paced(lines, self._speed)
        with self._client, click.progressbar(pace, length=len(lines), label=self._room) as bar:
            for line in bar:
                reason = self._say(line)
                if reason is not None:
                    refused.append(Refused(line.number, line.nick, reason))
        return refused

    def _say(self, line: Line) -> str | None:
        """Send one line. Returns why it was refused, or None."""
        token = self._tokens.get(line.nick) or self._sign_in(line.nick)
        if token is None:
            return self._nameless[line.nick]
        if self._typing:
            self._type(token, line.body)
        message = {"localId": f"replay-{self._run}-{line.number:06d}", "body": line.body}
        answer = self._request("POST", f"rooms/{self._room}/messages", token, message)
        return None if answer.is_success else _reason(answer)

    def _type(self, token: str, body: str) -> None:
        """Be seen to type it. Whether that was heard does not matter."""
        self._request("POST", f"rooms/{self._room}/typing", token, {"typing": True})
        time.sleep(min(TYPING_MAX_S, len(body) / TYPED_PER_S / self._speed))

    def _sign_in(self, nick: str) -> str | None:
        """A token for the nick, or None if it is no name: then its lines are passed over."""
        if nick in self._nameless:
            return None
        answer = self._request("POST", "session", None, {"name": nick})
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            self._nameless[nick] = _reason(answer)
            # On a terminal the progress bar holds the line.
            below = "\n" if sys.stdout.isatty() else ""
            click.echo(f"{below}{nick!a} is passed over: {_reason(answer)}", err=True)
            return None
        if not answer.is_success:
            raise ReplayError(f"{nick} cannot sign in: {_reason(answer)}")
        token: str = answer.json()["token"]
        self._join(token)
        self._tokens[nick] = token
        return token

    def _join(self, token: str) -> None:
        answer = self._request("PUT", f"rooms/{self._room}/members/me", token)
        if answer.status_code == httpx.codes.NOT_FOUND:
            answer = self._request("POST", "rooms", token, {"name": self._room})
        if not answer.is_success and answer.status_code != httpx.codes.CONFLICT:
            raise ReplayError(f"cannot join {self._room}: {_reason(answer)}")

    def _request(self, method: str, path: str, token: str | None, body: Any = None) -> httpx.Response:
        """One request, again after Retry-After or an outage, always with the same body."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        # In ASCII: a recording may hold what is no text in UTF-8, which is for the service to refuse.
        content = None if body is None else json.dumps(body)
        gives_up_s = time.monotonic() + OUTAGE_MAX_S
        backoff_s = BACKOFF_FIRST_S
        while True:
            try:
                answer = self._client.request(method, path, headers=headers, content=content)
                self._reached = True
                wait_s = _retry_after_s(answer)
                if wait_s is None:
                    return answer
                if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    gives_up_s = time.monotonic() + wait_s + OUTAGE_MAX_S
                reason = _reason(answer)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise ReplayError(f"--url: {error}") from None
            except httpx.TransportError as error:
                if not self._reached:
                    raise ReplayError(f"nothing answers at {self._client.base_url}: is --url right?") from None
                wait_s, reason = backoff_s, str(error) or type(error).__name__
                backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
            if time.monotonic() + wait_s > gives_up_s:
                raise ReplayError(f"gave up after {OUTAGE_MAX_S:.0f} s: {reason}")
            time.sleep(wait_s)


def read(file: Path) -> Iterator[Line]:
    """The lines of a recording. Raises ReplayError, which names the line at fault."""
    for number, raw in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
            hours, minutes = line["at"].split(":")
            yield Line(number, int(hours) * 60 + int(minutes), str(line["nick"]), str(line["body"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ReplayError(f'{file}, line {number}: not {{"day", "at", "nick", "body"}}') from None


def paced(lines: list[Line], speed: float) -> Iterator[Line]:
    """Each line at its time. Those of one minute are spread over it, since the recording knows only minutes."""
    start_s = time.monotonic()
    due_s = 0.0
    for index, line in enumerate(lines):
        time.sleep(max(0.0, start_s + due_s - time.monotonic()))
        yield line
        same = sum(1 for other in _neighbours(lines, index) if other.minute == line.minute)
        later = lines[index + 1].minute if index + 1 < len(lines) else line.minute
        gap_s = max(60.0 / same, (later - line.minute) * 60.0 / same if later > line.minute else 0.0)
        due_s += min(gap_s / speed, SILENCE_MAX_S)


def _neighbours(lines: list[Line], index: int) -> list[Line]:
    """Enough around a line to find all of its minute: no room is busier."""
    return lines[max(0, index - 200) : index + 200]


def _retry_after_s(answer: httpx.Response) -> float | None:
    """How long to wait before the same request; None when the answer is final."""
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        try:
            return max(0.0, float(answer.headers.get("Retry-After", "1")))
        except ValueError:
            return 1.0
    return None


def _reason(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        errors = problem.get("errors") or {}
        fields = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items())
        return fields or str(problem["detail"])
    except (ValueError, KeyError, AttributeError, TypeError):
        return f"HTTP {answer.status_code}"
