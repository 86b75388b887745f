"""How a command ends, for scripts: 0 done, 1 refused or wrong, 2 called wrongly, 3 no answer: the outcome is open."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from chatapp.client import Away
from chatapp.client import ChatError

NO_ANSWER = 3
# As a shell has it for a program that was interrupted.
INTERRUPTED = 130


class NoAnswer(click.ClickException):
    exit_code = NO_ANSWER


@contextmanager
def by_one_line() -> Iterator[None]:
    """What the client raises, as one line and an exit status."""
    try:
        yield
    except Away as error:
        raise NoAnswer(str(error)) from None
    except (ChatError, ValueError) as error:
        raise click.ClickException(str(error)) from None
