"""Logs of IRC: irssi's (`--- Day changed Mon Nov 30 2026`, `12:34 <nick> text`) and weechat's
(`2026-11-30 12:34:56<TAB>nick<TAB>text`), also with times in brackets.

The room is the file's name. Times are UTC: a log does not say which zone it was written in.
"""

import re
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from pathlib import Path

from chatapp.keeping.said import Refused
from chatapp.keeping.said import Said
from chatapp.keeping.sources.fault import SourceFault
from chatapp.keeping.sources.lines import TOO_LONG
from chatapp.keeping.sources.lines import lines
from chatapp.keeping.sources.names import room_name

LINE_MAX_BYTES = 100_000
CHANGED = re.compile(r"--- (?:Day changed|Log opened) \w{3} (\w{3}) (\d{1,2}) (?:[\d:]{8} )?(\d{4})")
DATED = re.compile(r"\[?(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2}))?\]?\s+(.*)", re.DOTALL)
TIMED = re.compile(r"\[?(\d{2}):(\d{2})(?::(\d{2}))?\]?\s+(.*)", re.DOTALL)
SPOKEN = re.compile(r"<[ @+%&~]?([^<>\s]+)>\s?(.*)", re.DOTALL)
ACTED = re.compile(r"\*\s+(\S+)\s(.*)", re.DOTALL)
COLUMNS = re.compile(r"[@+%&~]?([^\t\s]+)\t(.*)", re.DOTALL)
# What weechat writes in a nick's place for what nobody said.
NOTICES = {"--", "-->", "<--", "=!=", "*"}
# Colours and styles.
STYLES = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]")
NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(NAMES, 1)}


def read(path: Path) -> Iterator[Said | Refused]:
    """Raises SourceFault, OSError."""
    channel = path.name.split(".")[0]
    room = room_name(channel)
    day: datetime | None = None
    # How often somebody said the same within a minute, or a second where there are some.
    again: dict[tuple[int, str, str], int] = {}
    for number, _, raw in lines(path, LINE_MAX_BYTES):
        if raw is None:
            yield Refused(str(number), TOO_LONG)
            continue
        line = STYLES.sub("", raw.decode("utf-8", "replace").rstrip("\r\n"))
        changed = CHANGED.match(line)
        if changed is not None:
            day = _moment(int(changed[3]), MONTHS.get(changed[1], 0), int(changed[2]))
            continue
        found = _timed(line, day)
        spoken = None if found is None else _spoken(found[1])
        if found is None or spoken is None:
            if TIMED.match(line) and day is None and _spoken(TIMED.match(line)[4]):  # type: ignore[index]
                raise SourceFault(f"{path}, line {number}: on which day? There is no `--- Day changed` before it")
            if spoken is None and line.strip() and not _notice(line):
                yield Refused(str(number), "nobody says anything in it")
            continue
        at_ms, (nick, text) = int(found[0].timestamp() * 1000), spoken
        count = again[at_ms, nick, text] = again.get((at_ms, nick, text), 0) + 1
        if len(again) > 1_000:
            again.pop(next(iter(again)))
        yield Said(str(number), room, f"{at_ms}\n{nick}\n{text}\n{count}", nick, nick, text, at_ms, channel=channel)


def _timed(line: str, day: datetime | None) -> tuple[datetime, str] | None:
    """When it was, and the rest of the line."""
    dated = DATED.match(line)
    if dated is not None:
        year, month, date, hour, minute = (int(dated[at]) for at in range(1, 6))
        moment = _moment(year, month, date, hour, minute, int(dated[6] or 0))
        return None if moment is None else (moment, dated[7])
    timed = TIMED.match(line)
    if timed is None or day is None:
        return None
    moment = _moment(day.year, day.month, day.day, int(timed[1]), int(timed[2]), int(timed[3] or 0))
    return None if moment is None else (moment, timed[4])


def _spoken(rest: str) -> tuple[str, str] | None:
    """Nick and text."""
    found = SPOKEN.match(rest)
    if found is not None:
        return found[1], found[2]
    found = COLUMNS.match(rest)
    if found is not None and found[1] not in NOTICES:
        return found[1], found[2]
    acted = ACTED.match(rest)
    return None if acted is None else (acted[1], f"{acted[1]} {acted[2]}")


def _notice(line: str) -> bool:
    """Whether it tells of joinings, topics and the like."""
    rest = DATED.match(line) or TIMED.match(line)
    said = rest[rest.lastindex or 0] if rest is not None else line
    return said.startswith(("-", "=", "<--", "***")) or said.partition("\t")[0].strip() in NOTICES


def _moment(*parts: int) -> datetime | None:
    try:
        return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
