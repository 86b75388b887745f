"""`LogLines`: how the log is written: one record never looks like two, whatever a client managed to put into it."""

import logging
import re
from collections.abc import Iterable

# Controls (a terminal obeys some), what else ends a line or turns its direction, and lone surrogates.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# A record begins at the margin; the rest of it, such as a traceback, does not.
INDENT = "  "


class LogLines(logging.Formatter):
    """Around the formatter that a handler has."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return f"\n{INDENT}".join(_plain(line) for line in self._inner.format(record).split("\n"))


def install(handlers: Iterable[logging.Handler]) -> None:
    for handler in handlers:
        if not isinstance(handler.formatter, LogLines):
            handler.setFormatter(LogLines(handler.formatter or logging.Formatter()))


def _plain(line: str) -> str:
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), line)
