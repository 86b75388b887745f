"""Lines of files that others wrote: a line may be as long as it likes, and is one line all the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TOO_LONG = "it is too long"


class Line(NamedTuple):
    """`number` counts from 1, `offset` is where it begins; `raw` is None if it is too long."""

    number: int
    offset: int
    raw: bytes | None


def lines(path: Path, most: int) -> Iterator[Line]:
    """`most` bytes of one are held in memory. Raises OSError."""
    with path.open("rb") as file:
        number = offset = 0
        while raw := file.readline(most):
            number += 1
            length, piece = len(raw), raw
            while len(piece) == most and not piece.endswith(b"\n"):
                piece = file.readline(most)
                length += len(piece)
            yield Line(number, offset, raw if length == len(raw) else None)
            offset += length
