"""`python -m tests.support.busy_database FILE SECONDS STARTS`: four readers and a writer, as a worker has.

None of them ever pauses. Prints what the writes took, as JSON. Anew each of so many times: connections are made while
all others make theirs.
"""

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import json
import sys
import time

import gevent
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from chatapp.storage import Database
from chatapp.storage import Rows
from chatapp.storage import engine_options
from chatapp.storage import prepare

TABLE = "CREATE TABLE IF NOT EXISTS kept (number INTEGER PRIMARY KEY, key INTEGER, body BLOB)"
INDEX = "CREATE INDEX IF NOT EXISTS kept_key ON kept (key)"
# Twenty messages: the index makes each of them dirty a page of its own.
INSERT = "INSERT INTO kept (key, body) VALUES (random(), randomblob(300))"
READ = "SELECT count(*) FROM (SELECT * FROM kept WHERE key > random() LIMIT 500)"


def make(rows: Rows) -> None:
    for statement in (TABLE, INDEX):
        rows._driver.execute(statement)
    rows._driver.executemany(INSERT, [()] * 20_000)


def write(rows: Rows) -> None:
    rows._driver.executemany(INSERT, [()] * 20)


def read(session: Session) -> None:
    session.connection().exec_driver_sql(READ).fetchall()


def run(file: str, seconds: float) -> list[float]:
    url = f"sqlite:///{file}"
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    database = Database(engine)
    end_s = time.monotonic() + seconds
    took: list[float] = []

    def reader() -> None:
        while time.monotonic() < end_s:
            database.read(read)

    def writer() -> None:
        while time.monotonic() < end_s:
            began_s = time.monotonic()
            database.write_rows(write, durable=len(took) % 2 == 0)
            took.append(time.monotonic() - began_s)

    busy = [gevent.spawn(reader) for _ in range(4)] + [gevent.spawn(writer)]
    gevent.joinall(busy, raise_error=True)
    database.close()
    return took


if __name__ == "__main__":
    took = sorted(one for _ in range(int(sys.argv[3])) for one in run(sys.argv[1], float(sys.argv[2])))
    print(json.dumps({"writes": len(took), "p99_ms": took[int(len(took) * 0.99)] * 1000, "most_ms": took[-1] * 1000}))
