"""`PatientDatabase`: for work beside a service that is busy: what fails is tried again."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from chatapp.errors import Unavailable
from chatapp.storage import Database

T = TypeVar("T")

# A service that starts anew, or a server that fails over, is back by then.
TRIES = 8
PAUSE_S = 1.0


class PatientDatabase(Database):
    """Like `Database`. The work must be right also when it was done before: an outcome may be open."""

    def read(self, work: Callable[[Session], T]) -> T:
        return _again(lambda: super(PatientDatabase, self).read(work))

    def write(self, work: Callable[[Session], T]) -> T:
        return _again(lambda: super(PatientDatabase, self).write(work))


def _again(run: Callable[[], T]) -> T:
    for number in range(1, TRIES + 1):
        try:
            return run()
        except Unavailable:
            if number == TRIES:
                raise
            time.sleep(PAUSE_S * number)
    raise AssertionError("unreachable")
