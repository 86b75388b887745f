"""Files with a JSON object a line."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from chatapp.keeping.said import Refused
from chatapp.keeping.sources.lines import TOO_LONG
from chatapp.keeping.sources.lines import lines

# Longer than the longest message with its `data`, each character escaped.
LINE_MAX_BYTES = 1_000_000

Document = dict[str, Any]


def documents(path: Path) -> Iterator[tuple[int, Document | Refused]]:
    """Each with its line's number, from 1."""
    for number, _, raw in lines(path, LINE_MAX_BYTES):
        if raw is None or raw.strip():
            yield number, document(raw, str(number))


def document(raw: bytes | None, line: str) -> Document | Refused:
    if raw is None:
        return Refused(line, TOO_LONG)
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return Refused(line, "it is no JSON")
    return found if isinstance(found, dict) else Refused(line, "it is no JSON object")


def text(value: object) -> str:
    """Raises TypeError, ValueError."""
    if not isinstance(value, str):
        raise TypeError(value)
    # Lone surrogates are no text.
    value.encode()
    return value


def moment_ms(written: str) -> int:
    """Of RFC 3339. Raises ValueError."""
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return round(moment.timestamp() * 1000)
