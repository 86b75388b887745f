"""How the log is written: one record never looks like two, whatever a client managed to put into it.

A record may have `fields`, what a request or a stream was: behind its message as text, members of their own in JSON.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from chatapp.wire import codec

TEXT, JSON = "text", "json"

# Controls (a terminal obeys some), what else ends a line or turns its direction, and lone surrogates.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# A record begins at the margin; the rest of it, such as a traceback, does not.
INDENT = "  "
# The one control that JSON lets stand.
DELETE = b"\x7f"


class TextLines(logging.Formatter):
    """For people, around the formatter that a handler has."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        fields = (f" {name}={'-' if value is None else value}" for name, value in _fields(record).items())
        text = self._inner.format(record) + "".join(fields)
        return f"\n{INDENT}".join(_plain(line) for line in text.split("\n"))


class JsonLines(logging.Formatter):
    """For programs: one line of ASCII, a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        second, milliseconds = divmod(int(record.created * 1000), 1000)
        document = {
            "time": f"{_moment(second)}.{milliseconds:03d}Z",
            "level": record.levelname.lower(),
            "pid": record.process,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return _line(document)


def install(handlers: Iterable[logging.Handler], form: str | None) -> None:
    """`form` is TEXT or JSON; by default the one on a terminal, the other elsewhere."""
    if form is None:
        form = TEXT if sys.stderr.isatty() else JSON
    for handler in handlers:
        if not isinstance(handler.formatter, TextLines | JsonLines):
            handler.setFormatter(JsonLines() if form == JSON else TextLines(handler.formatter or logging.Formatter()))


@lru_cache(maxsize=2)
def _moment(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _line(document: dict[str, Any]) -> str:
    with suppress(TypeError):
        text = codec.dumps(document)
        if text.isascii() and DELETE not in text:
            return text.decode()
    # Ten times as long: text in other letters, lone surrogates, what is not JSON.
    return json.dumps(document, separators=(",", ":"), default=str)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = getattr(record, "fields", {})
    return found


def _plain(line: str) -> str:
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), line)
