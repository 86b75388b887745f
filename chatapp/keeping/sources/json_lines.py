"""Files with a JSON object a line."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from chatapp.keeping.said import Refused

# Longer than the longest message with its `data`, each character escaped.
LINE_MAX_BYTES = 1_000_000

Document = dict[str, Any]


def documents(path: Path) -> Iterator[tuple[int, Document | Refused]]:
    """Each with its line's number, from 1."""
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(LINE_MAX_BYTES):
            number += 1
            if raw.strip():
                yield number, document(raw, str(number))


def document(raw: bytes, line: str) -> Document | Refused:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return Refused(line, "it is no JSON")
    return found if isinstance(found, dict) else Refused(line, "it is no JSON object")


def moment_ms(text: str) -> int:
    """Of RFC 3339. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return round(moment.timestamp() * 1000)
