"""What `chatapp export` wrote."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chatapp.keeping.said import Refused
from chatapp.keeping.said import Said
from chatapp.keeping.sources import json_lines


def read(path: Path) -> Iterator[Said | Refused]:
    for number, document in json_lines.documents(path):
        yield document if isinstance(document, Refused) else _said(document, str(number))


def _said(document: dict[str, Any], line: str) -> Said | Refused:
    try:
        edited, deleted = document.get("editedAt"), document.get("deletedAt")
        data = document.get("data")
        said = Said(
            line,
            json_lines.text(document["room"]),
            json_lines.text(document["id"]),
            json_lines.text(document["sender"]["id"]),
            json_lines.text(document["sender"]["name"]),
            json_lines.text(document["body"]),
            json_lines.moment_ms(document["createdAt"]),
            data if deleted is None else None,
            None if edited is None else json_lines.moment_ms(edited),
            None if deleted is None else json_lines.moment_ms(deleted),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return Refused(line, "it is no message of an export")
    return said
