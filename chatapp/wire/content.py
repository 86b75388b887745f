"""`Content`: what a message says, in words and as structure. Pure."""

from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from typing import Any

from chatapp.wire import codec

DATA_MAX_BYTES = 8 * 1024
DATA_MAX_DEPTH = 16

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """`data` is a JSON object for clients that know what it means; the others show `body`. A `growing` one is the
    beginning of what is said."""

    body: str
    data: Data | None = None
    growing: bool = False

    def hash_in(self, room: str) -> str:
        """What a localId stands for: the same however the keys of the objects are ordered.

        No room's name holds a line break and no body a NUL, so the parts cannot run together.
        """
        said = f"{room}\n{self.body}".encode()
        if self.data is not None:
            said += b"\0" + codec.canonical(self.data)
        if self.growing:
            said += b"\0growing"
        return sha256(said).hexdigest()


def written(data: Data | None) -> str | None:
    """As the database keeps it."""
    return None if data is None else codec.dumps(data).decode()


def read(kept: str | None) -> Data | None:
    """What `written` wrote."""
    found: Data | None = None if kept is None else codec.loads_trusted(kept.encode())
    return found


def fault(data: Any) -> str | None:
    """Why this cannot be kept as `data` and given back as it was; None if it can."""
    if not isinstance(data, dict):
        return "Not an object."
    too_large = f"At most {DATA_MAX_BYTES} bytes as JSON without spaces, in UTF-8."
    seen = 0
    level: list[Any] = [data]
    for _ in range(DATA_MAX_DEPTH + 1):
        seen += len(level)
        if seen > DATA_MAX_BYTES:
            # Each takes a byte at least: there is no need to look at the rest.
            return too_large
        if any(isinstance(value, float) and not isfinite(value) for value in level):
            return "No numbers beyond those of a double."
        deepest, level = level, [inner for value in level for inner in _within(value)]
    if any(isinstance(value, dict | list) for value in deepest):
        return f"At most {DATA_MAX_DEPTH} objects and lists in one another."
    try:
        return too_large if len(codec.dumps(data)) > DATA_MAX_BYTES else None
    except TypeError:
        return "Whole numbers of at most 64 bits, and no lone surrogates."


def _within(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
