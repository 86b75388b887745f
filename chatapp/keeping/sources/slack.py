"""An export of Slack, a folder or a zip: channels.json, users.json, and a file for each channel and day.

https://slack.com/help/articles/220556107: only public channels are read. A day at a time is held in memory.
"""

import json
import re
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from html import unescape
from lzma import LZMAError
from pathlib import Path
from typing import IO
from typing import Any
from zipfile import BadZipFile
from zipfile import ZipFile

from chatapp.keeping.said import Refused
from chatapp.keeping.said import Said
from chatapp.keeping.sources.fault import SourceFault
from chatapp.keeping.sources.names import room_name

# Notices of the service itself: who came, went, or renamed something.
SPOKEN = {"", "bot_message", "me_message", "thread_broadcast", "file_share", "file_comment"}
MARKED = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json")

# What was said in a channel on one day, as it is in memory.
FILE_MAX_BYTES = 100_000_000

Open = Callable[[str], bytes]


def read(path: Path) -> Iterator[Said | Refused]:
    """Channel by channel. Raises SourceFault, OSError."""
    if path.is_dir():
        names = sorted(str(one.relative_to(path)) for one in path.rglob("*.json"))
        yield from _read(path, names, lambda name: _bounded(name, (path / name).open("rb")))
        return
    try:
        with ZipFile(path) as archive:
            yield from _read(path, sorted(archive.namelist()), lambda name: _bounded(name, archive.open(name)))
    except (BadZipFile, EOFError, LZMAError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise SourceFault(f"{path}: no zip that can be read: {error}") from None


def _bounded(name: str, file: IO[bytes]) -> bytes:
    """All of it: an archive of a few kilobytes may hold more than any memory."""
    with file:
        found = file.read(FILE_MAX_BYTES + 1)
    if len(found) > FILE_MAX_BYTES:
        raise SourceFault(f"{name}: longer than {FILE_MAX_BYTES // 1_000_000:,} MB")
    return found


def _read(path: Path, names: list[str], open_: Open) -> Iterator[Said | Refused]:
    channels = next((name for name in names if name.rsplit("/", 1)[-1] == "channels.json"), None)
    if channels is None:
        raise SourceFault(f"{path}: no export of Slack: there is no channels.json in it")
    top = channels.removesuffix("channels.json")
    users = f"{top}users.json"
    people = {_str(one.get("id")): _called(one) for one in (_list(open_, users) if users in names else [])}
    for channel in (_str(one.get("name")) for one in _list(open_, channels)):
        folder = f"{top}{channel}/"
        for name in names:
            if channel and name.startswith(folder) and DAY.fullmatch(name.removeprefix(folder)):
                yield from _day(open_, name, channel, people)


def _day(open_: Open, name: str, channel: str, people: dict[str, str]) -> Iterator[Said | Refused]:
    found = []
    for number, message in enumerate(_list(open_, name), 1):
        line = f"{name}, message {number}"
        try:
            found.append((float(message["ts"]), line, message))
        except (KeyError, OverflowError, TypeError, ValueError):
            yield Refused(line, "it has no time")
    found.sort(key=lambda one: one[:2])
    for at_s, line, message in found:
        if message.get("type", "message") != "message" or _str(message.get("subtype")) not in SPOKEN:
            continue
        yield _said(message, at_s, line, channel, people)


def _said(message: dict[str, Any], at_s: float, line: str, channel: str, people: dict[str, str]) -> Said | Refused:
    profile = message.get("user_profile")
    user = _str(message.get("user")) or _str(message.get("bot_id")) or _str(message.get("username"))
    name = people.get(user) or (_called(profile) if isinstance(profile, dict) else "") or _str(message.get("username"))
    if not user:
        return Refused(line, "nobody said it")
    try:
        at_ms = int(at_s * 1000)
    except (OverflowError, ValueError):
        return Refused(line, "it has no time")
    texts = [plain(_str(message.get("text")), people), *_files(message.get("files"))]
    body, key = "\n".join(text for text in texts if text), f"{channel}\n{message['ts']}\n{user}"
    return Said(line, room_name(channel), key, user, name or user, body, at_ms, channel=channel)


def plain(text: str, people: dict[str, str]) -> str:
    """Slack's marks as words: who and what is mentioned, and where links lead."""

    def word(found: re.Match[str]) -> str:
        mark, what, label = found[1], found[2], found[3]
        if mark == "@":
            return f"@{people.get(what) or label or what}"
        if mark == "#":
            return f"#{label or what}"
        if mark == "!":
            return f"@{label or what.partition('^')[0]}"
        return what if not label or label == what or what == f"mailto:{label}" else f"{label} ({what})"

    return unescape(MARKED.sub(word, text))


def _files(files: Any) -> Iterator[str]:
    for one in files if isinstance(files, list) else []:
        if isinstance(one, dict):
            parts = _str(one.get("title")) or _str(one.get("name")), _str(one.get("url_private"))
            yield " ".join(part for part in parts if part)


def _called(user: dict[str, Any]) -> str:
    profile = user.get("profile")
    shown = profile if isinstance(profile, dict) else user
    parts = shown.get("display_name"), shown.get("real_name"), user.get("real_name"), user.get("name"), user.get("id")
    return next((_str(part) for part in parts if _str(part)), "")


def _str(value: Any) -> str:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _list(open_: Open, name: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(open_(name))
    except (ValueError, RecursionError):
        raise SourceFault(f"{name}: no JSON") from None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
