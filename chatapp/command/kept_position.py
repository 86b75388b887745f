"""`KeptPosition`: how far a command has come in the log, in a file or only in memory."""

import os
import re
from pathlib import Path

import click

_CURSOR = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")


class KeptPosition:
    """`cursor` is None where nothing is known yet. Raises ClickException for a file that holds something else."""

    def __init__(self, file: Path | None, since: str | None) -> None:
        self._file = file
        self.cursor = self._load() or since

    def move(self, cursor: str) -> None:
        """Written beside the file and put in its place: whoever is killed leaves the old position or the new one."""
        self.cursor = cursor
        if self._file is not None:
            new = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            new.write_text(f"{cursor}\n")
            new.replace(self._file)

    def _load(self) -> str | None:
        if self._file is None or not self._file.exists():
            return None
        text = self._file.read_text(errors="replace").strip()
        if text and not _CURSOR.fullmatch(text):
            raise click.ClickException(f"{self._file} holds no position: {text[:40]!r}")
        return text or None
