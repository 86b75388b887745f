"""An operator beside a running service: its commands as programs of their own, and its database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.support.service import Service

CHATAPP = str(Path(sys.executable).parent / "chatapp")
DAY = 86_400_000 << 20
# Where places in the log stand.
PLACES = (("events", "log_id"), ("messages", "log_id"), *(("receipts", of) for of in ("first", "delivered", "read")))


class Operator:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.environ = {"PATH": os.environ["PATH"], **service.settings}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [CHATAPP, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=self.environ, cwd="/tmp"
        )

    def run(self, *arguments: str, answer: str = "", code: int = 0) -> str:
        """What it says on stdout."""
        process = self.start(*arguments)
        out, err = process.communicate(answer, timeout=60)
        assert process.returncode == code, out + err
        return out if code == 0 else err

    @contextmanager
    def database(self) -> Iterator[sa.Connection]:
        url = self.service.settings.get("DATABASE_URL", f"sqlite:///{self.service.folder / 'data' / 'chat.db'}")
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            yield connection
        engine.dispose()

    def rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        with self.database() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), given)]

    def write(self, query: str, **given: Any) -> None:
        with self.database() as connection:
            connection.execute(sa.text(query), given)

    def count(self, table: str, where: str = "1 = 1", **given: Any) -> int:
        [[count]] = self.rows(f"SELECT count(*) FROM {table} WHERE {where}", **given)
        return int(count)

    def age(self, days: int) -> None:
        """Let everything so far have happened so many days earlier."""
        with self.database() as connection:
            for table, column in PLACES:
                connection.execute(
                    sa.text(f"UPDATE {table} SET {column} = {column} - :by WHERE {column} > 0"), {"by": days * DAY}
                )
