"""`Finding`: one line of what `chatapp check` says."""

from dataclasses import dataclass
from enum import StrEnum

# The length of GUNICORN_CMD_ARGS: longer settings are hardly ever named.
PART_WIDTH = 17


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """How bad it is, the setting or part it is about, what was found and, if not ok, what to do."""

    level: Level
    part: str
    text: str

    def __str__(self) -> str:
        return f"{self.level:<7}  {self.part:<{PART_WIDTH}}  {self.text}"


def ok(part: str, text: str) -> Finding:
    return Finding(Level.OK, part, text)


def warning(part: str, text: str) -> Finding:
    return Finding(Level.WARNING, part, text)


def error(part: str, text: str) -> Finding:
    return Finding(Level.ERROR, part, text)


def first_line(cause: object) -> str:
    """What a library says, without the advice that it puts below."""
    return next(iter(str(cause).strip().splitlines()), "").rstrip(".:") or type(cause).__name__
