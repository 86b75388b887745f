"""The folder in which the workers of this master count. It must be there before anything is imported that counts."""

from pathlib import Path

from chatapp.runtime import MetricsFolder

_made: MetricsFolder | None = None


def folder() -> Path:
    """The same one when gunicorn reads its configuration again."""
    global _made
    if _made is None:
        _made = MetricsFolder()
    return _made.path


def remove() -> None:
    if _made is not None:
        _made.remove()
