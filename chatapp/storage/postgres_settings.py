"""`PostgresSettings`: what every transaction on PostgreSQL runs under, also behind a pooler of connections.

Nothing of it goes with the start of a connection: a pooler refuses that, and it would replace the `options` of the
address. What the operator chose there wins.
"""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import event

# Every query here finds what it wants by an index, at the cost of what it finds. The planner guesses from averages, and
# where a room is larger than most, or a list shorter than a hundred, it reads whole rooms and tables instead.
BY_INDEX = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # It would be worth it only for what the above rules out, and takes a tenth of a second.
    "jit": "off",
}
# Behind a pooler another server may take each transaction: the settings go with it.
EACH = "chatapp: settings of each transaction"

# The server that answers, and which of these settings came with the connection: `options`, PGOPTIONS.
ASKED = """
SELECT pg_backend_pid(), ARRAY(SELECT name::text FROM pg_settings WHERE lower(name) = ANY(%s) AND source = 'client')
"""


class PostgresSettings:
    def __init__(self, timeout_ms: int) -> None:
        self._settings = {
            "statement_timeout": str(timeout_ms),
            "lock_timeout": str(timeout_ms),
            "idle_in_transaction_session_timeout": str(2 * timeout_ms),
            "timezone": "UTC",
            **BY_INDEX,
        }

    def prepare(self, engine: Engine) -> None:
        event.listen(engine, "connect", self._connected)
        event.listen(engine, "begin", _begun)

    def _connected(self, driver: Any, record: Any) -> None:
        try:
            self._set_up(driver, record)
        except BaseException:
            # SQLAlchemy does not know it yet.
            driver.close()
            raise

    def _set_up(self, driver: Any, record: Any) -> None:
        with driver.cursor() as cursor:
            pid, chosen = cursor.execute(ASKED, [list(self._settings)]).fetchone()
            ours = {name: value for name, value in self._settings.items() if name not in map(str.lower, chosen)}
            # As in `pooled`, in the same round trip.
            if pid != driver.info.backend_pid:
                record.info[EACH] = _text(ours, local=True)
                # They would be prepared on one server and asked for on another.
                driver.prepare_threshold = None
            else:
                cursor.execute(_text(ours, local=False))
        driver.commit()


def pooled(driver: Any) -> bool:
    """Whether a pooler stands in between: it says another number than the server."""
    (pid,) = driver.execute("SELECT pg_backend_pid()").fetchone()
    return bool(pid != driver.info.backend_pid)


def each_transaction(info: Any) -> str | None:
    """What a transaction has to begin with, by what is known of its connection. None: nothing."""
    found: str | None = info.get(EACH)
    return found


def _begun(connection: Connection) -> None:
    if text := each_transaction(connection.info):
        driver: Any = connection.connection.driver_connection
        driver.execute(text)


def _text(settings: dict[str, str], *, local: bool) -> str:
    # All in one round trip. Names and values stand above, none comes from outside.
    return "SELECT " + ", ".join(
        f"set_config('{name}', '{value}', {str(local).lower()})" for name, value in settings.items()
    )
