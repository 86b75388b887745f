"""A line of text that a command keeps in a file."""

from pathlib import Path

import click

from chatapp.command.whole_file import whole_file


def read(file: Path) -> str | None:
    """Its text without the last line's end; None where there is none. Raises ClickException."""
    try:
        return file.read_text(errors="replace").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from None


def write(file: Path, text: str, *, mode: int = 0o666) -> None:
    """Whoever is killed leaves the old text or the new. Raises ClickException."""
    with whole_file(str(file), mode) as open_file:
        open_file.write(f"{text}\n".encode())
