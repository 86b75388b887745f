"""`KeptPosition`: how far a command has come in the log, in a file or only in memory."""

import re
from pathlib import Path

import click

from chatapp.command import kept_text

_CURSOR = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")


class KeptPosition:
    """`cursor` is None where nothing is known yet. Raises ClickException for a file that cannot be used."""

    def __init__(self, file: Path | None, since: str | None) -> None:
        self._file = file
        self.cursor = self._load() or since

    def move(self, cursor: str) -> None:
        """Raises ClickException for a file that cannot be written."""
        if self._file is not None:
            kept_text.write(self._file, cursor)
        self.cursor = cursor

    def _load(self) -> str | None:
        text = None if self._file is None else kept_text.read(self._file)
        if text is not None and not _CURSOR.fullmatch(text):
            raise click.ClickException(f"{self._file} holds no position: {text[:40]!r}")
        return text
