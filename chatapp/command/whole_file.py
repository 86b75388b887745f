"""`whole_file`: a file that is there when all of it is written, or stays as it was."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from typing import IO

import click


@contextmanager
def whole_file(path: str, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """Something to write, "-" for stdout. It takes the place of a file of that name at the end, and its mode, unless
    something is raised before. Raises ClickException if it cannot be written."""
    if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
        # Nothing can take the place of a pipe.
        with click.open_file(path, "wb") as file:
            yield file
        return
    try:
        with _beside(os.path.realpath(path), mode) as file:
            yield file
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from None


@contextmanager
def _beside(target: str, mode: int) -> Iterator[IO[bytes]]:
    """A file in the same folder, under another name until it is whole."""
    temporary = f"{target}.{secrets.token_hex(4)}"
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    try:
        with open(descriptor, "wb") as file:
            with suppress(FileNotFoundError):
                os.fchmod(descriptor, os.stat(target).st_mode & 0o777)
            yield file
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
