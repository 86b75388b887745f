"""A PostgreSQL backend that falls silent within a transaction, and what goes to and fro for many rows."""

import json
from itertools import pairwise

from tests.support.postgres import Postgres
from tests.support.probe import probe

PARTS = """
import json, os, signal, tempfile, time
from sqlalchemy import Integer, bindparam, create_engine, select
from chatapp.config import Config
from chatapp.storage import Database, engine_options
from chatapp.errors import Unavailable
from chatapp.storage.statements import Prepared

url = Config.from_environ().database_url
database = Database(create_engine(url, **engine_options(url)))
ECHO = Prepared(select(bindparam("number", type_=Integer)))

def echo(rows, count):
    found = rows.ask_each(ECHO, [{"number": number} for number in range(count)])
    return [number for [[number]] in found]
"""

SILENT = """
stopped = []

def fall_silent(rows):
    stopped.append(rows._driver.info.backend_pid)
    os.kill(stopped[0], signal.SIGSTOP)
    echo(rows, 2)

since_s = time.monotonic()
try:
    try:
        outcome = database.write_rows(fall_silent)
    except Unavailable as error:
        outcome = error.code
    took_s = time.monotonic() - since_s
    print(json.dumps([outcome, took_s, database.write_rows(lambda rows: echo(rows, 2))]))
finally:
    os.kill(stopped[0], signal.SIGCONT)
"""

TRACED = """
def traced(rows):
    echo(rows, 50)  # psycopg prepares what it has seen some times
    connection = rows._driver.pgconn
    with tempfile.TemporaryFile("w+") as trace:
        connection.trace(trace.fileno())
        answer = echo(rows, 50)
        connection.untrace()
        trace.seek(0)
        return answer, [line.split("\\t")[3] for line in trace.read().splitlines()]

print(json.dumps(database.write_rows(traced)))
"""

WRITTEN = """
from sqlalchemy import Column, MetaData, Table, func, insert

kept = Table("kept", MetaData(), Column("number", Integer))
ADD = Prepared(insert(kept).values(number=bindparam("number")))
COUNT = Prepared(select(func.count()).select_from(kept))
trace = tempfile.TemporaryFile("w+")

def written(rows):
    rows._driver.execute("CREATE TEMPORARY TABLE kept (number integer)")
    rows._driver.pgconn.trace(trace.fileno())
    for _ in range(2):
        rows.run(ADD, [{"number": number} for number in range(20)])
    return rows.ask(COUNT)

found = database.write_rows(written)
database.close()
trace.seek(0)
print(json.dumps([found, [line.split("\\t")[1:4:2] for line in trace.read().splitlines() if "\\t" in line]]))
"""

# Every request is answered within 10 s, and after the transaction it may have to look up what became of it.
SILENT_BOUND_S = 6.0


def test_a_silent_backend_is_given_up(postgres: Postgres) -> None:
    """psycopg itself waits without a bound for the end of what it sent in one go."""
    outcome, took_s, next_one = json.loads(probe(PARTS + SILENT, {"DATABASE_URL": postgres.database()}))
    print(f"given up after {took_s:.1f} s")
    assert outcome == "unavailable"
    assert took_s < SILENT_BOUND_S
    assert next_one == [0, 1]


def test_many_rows_are_asked_for_in_one_round_trip(postgres: Postgres) -> None:
    answer, messages = json.loads(probe(PARTS + TRACED, {"DATABASE_URL": postgres.database()}))
    assert answer == list(range(50))
    # Each is a round trip.
    assert messages.count("Flush") + messages.count("Sync") == 1, messages


def test_a_transaction_waits_for_what_it_asks_and_for_its_commit(postgres: Postgres) -> None:
    found, messages = json.loads(probe(PARTS + WRITTEN, {"DATABASE_URL": postgres.database()}))
    assert found == [[40]]
    sent = [name for direction, name in messages if direction == "F"]
    assert sent.count("Execute") == 40 + 1 + 1
    # How often it turns from sending to reading.
    turns = sum(before[0] == "F" and after[0] == "B" for before, after in pairwise(messages))
    assert turns == 2, messages
