"""A small file that a command keeps: read as it is, and written as a whole or not at all."""

import os
from pathlib import Path

import click


def read(file: Path) -> str | None:
    """Its text without the last line's end; None where there is none. Raises ClickException."""
    try:
        return file.read_text(errors="replace").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _refusal(file, error) from None


def write(file: Path, text: str, *, mode: int = 0o666) -> None:
    """Beside the file and put in its place: whoever is killed leaves the old text or the new. Raises ClickException."""
    new = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        try:
            new.touch(mode=mode)
            new.write_text(f"{text}\n")
            new.replace(file)
        except OSError:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _refusal(file, error) from None


def _refusal(file: Path, error: OSError) -> click.ClickException:
    return click.ClickException(f"{file}: {error.strerror or error}")
