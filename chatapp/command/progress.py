"""`progress`: how far a command is, on stderr, where somebody looks at it."""

import sys
from collections.abc import Callable
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TypeVar

import click

T = TypeVar("T")


def progress(
    steps: Iterable[T], label: str, shown: Callable[[], str], length: int | None = None
) -> AbstractContextManager[Iterable[T]]:
    """The same steps, with a bar while they are taken; `shown` says behind it what is done. None but on a terminal."""
    hidden = not sys.stderr.isatty()
    return click.progressbar(
        steps, length, label, hidden=hidden, file=sys.stderr, item_show_func=lambda _: shown(), show_eta=False
    )
