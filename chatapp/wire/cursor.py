"""`Cursor`: a position in the event log. Pure."""

import re
from functools import lru_cache
from typing import Final

# A cursor is kept as one 63-bit integer: 43 bits of milliseconds (until the year 2248), 20 of sequence.
SEQUENCE_BITS: Final = 20
SEQUENCE_MAX: Final = 2**SEQUENCE_BITS - 1
PACKED_MAX: Final = 2**63 - 1

# Clients that follow the log all stand at a few positions, and bring the same text.
PARSED_MAX: Final = 1000

_CURSOR = re.compile(r"(0|[1-9][0-9]{0,19})-(0|[1-9][0-9]{0,19})", re.ASCII)
# What a document says of it: all that is ever handed out, and nothing that is refused.
CURSOR_PATTERN: Final = "^(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})$"
_UINT64_MAX: Final = 2**64 - 1


class Cursor(int):
    """A Redis Stream id as one integer, so that comparing, storing and sorting need no parsing.

    The only code that knows how a cursor is written. A sequence beyond 2^20, which is never handed
    out, means the same as the last one of its millisecond.
    """

    __slots__ = ()

    @staticmethod
    @lru_cache(maxsize=PARSED_MAX)
    def parse(text: str) -> "Cursor":
        """Read `<milliseconds>-<sequence>`. Raises ValueError for anything else."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise ValueError("a cursor looks like 1763781234567-0")
        milliseconds, sequence = int(match[1]), int(match[2])
        if max(milliseconds, sequence) > _UINT64_MAX:
            raise ValueError("a cursor has two parts of at most 64 bits")
        return Cursor.at(milliseconds, min(sequence, SEQUENCE_MAX))

    @staticmethod
    def of_redis(raw: bytes) -> "Cursor":
        """The same of an id that Redis gave. Raises ValueError."""
        milliseconds, _, sequence = raw.partition(b"-")
        return Cursor(int(milliseconds) << SEQUENCE_BITS | min(int(sequence), SEQUENCE_MAX))

    @classmethod
    def at(cls, milliseconds: int, sequence: int = 0) -> "Cursor":
        return cls(milliseconds << SEQUENCE_BITS | sequence)

    @property
    def milliseconds(self) -> int:
        return self >> SEQUENCE_BITS

    @property
    def packed(self) -> int:
        """As the database keeps it. A cursor beyond 63 bits lies after every row, and so does the cap."""
        return min(int(self), PACKED_MAX)

    def __str__(self) -> str:
        return f"{self >> SEQUENCE_BITS}-{self & SEQUENCE_MAX}"

    __repr__ = __str__


def cursor_text(cursor: int | None) -> str | None:
    """The cursor of a row as the wire shows it; null until it is published."""
    return None if cursor is None else str(Cursor(cursor))
