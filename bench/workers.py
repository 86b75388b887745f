"""Workers: what a send costs with more of them, on PostgreSQL, where all of them see one another's rows."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import ours
from bench import sends
from bench.case import Figures
from bench.target import CannotRun
from bench.target import Target
from tests.support.postgres import Postgres

COUNTS = (1, 2, 4)


def figures() -> Iterator[Figures]:
    """One after another, so that each ratio is of the same few minutes: fifty senders in all, of whom each worker sees
    a part, and fifty for each worker, as where there are more because one was not enough."""
    with _postgres() as postgres:
        for count in COUNTS:
            with _senders(postgres.database(), count) as target:
                yield sends.ask(target, target.sends, f"workers_{count}")
                yield sends.ask(target, target.sends, f"each_{count}", sends.SENDERS * count)


@contextmanager
def _postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        try:
            server = Postgres(Path(folder) / "cluster")
        except (OSError, RuntimeError, TimeoutError) as error:
            raise CannotRun(str(error)[-300:]) from error
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _senders(database: str, workers: int) -> Iterator[Target]:
    """Fifty users who all write, each by a connection that one of the workers has taken."""
    settings = {"DATABASE_URL": database, "WEB_CONCURRENCY": str(workers)}
    with ours.service(sends.SENDERS, **settings) as service:
        yield service.target_of(service.streams(), service.sends())
