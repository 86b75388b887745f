"""A recorded conversation: its lines, and when each is due."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The longest silence that is played, in seconds of the replay.
SILENCE_MAX_S = 5.0


class RecordingError(Exception):
    """The file holds something else. The text is one line that names the place."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    minute: int
    nick: str
    body: str


def read(file: Path) -> Iterator[Line]:
    """The lines of a recording. Raises RecordingError, which names the line at fault."""
    for number, raw in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
            hours, minutes = line["at"].split(":")
            yield Line(number, int(hours) * 60 + int(minutes), str(line["nick"]), str(line["body"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RecordingError(f'{file}, line {number}: not {{"day", "at", "nick", "body"}}') from None


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
