"""Everything that depends on more of SQLAlchemy than its documentation promises.

What would break it, in a new version of SQLAlchemy: a compiled statement names its parameters in something else than
`params` and `binds`; types convert by something else than `bind_processor`; `DBAPIError.instance` takes other
arguments; a moment in SQLite is not text as of `datetime.isoformat`; a dialect knows its driver or a lost connection by
other names than `loaded_dbapi` and `is_disconnect`.
"""

from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError

Converters = dict[str, Callable[[Any], Any]]


def compiled(statement: ClauseElement, dialect: Dialect) -> tuple[str, dict[str, Any], Converters]:
    """The statement as the driver takes it: its text, the parameters that never change, what converts the others."""
    made: Any = statement.compile(dialect=dialect)
    fixed = {name: value for name, value in made.params.items() if value is not None}
    convert: Converters = {}
    for name in made.params:
        process = made.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            convert[name] = process
    return str(made), fixed, convert


def moment(stored: str | datetime | None) -> datetime | None:
    """A moment as a driver gives it: SQLAlchemy keeps it in SQLite as text without a zone, in UTC here."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC) if isinstance(stored, str) else stored


def driver_error(dialect: Dialect) -> type[Exception]:
    """The class of all errors of the dialect's driver."""
    driver: Any = dialect.loaded_dbapi
    found: type[Exception] = driver.Error
    return found


def wrapped(error: Exception, dialect: Dialect, connection: Any, *, lost: bool = False) -> BaseException:
    """An error of the driver on its own connection, as SQLAlchemy would have raised it."""
    driver: Any = dialect.loaded_dbapi
    lost = lost or dialect.is_disconnect(error, connection, None)  # type: ignore[arg-type]
    return DBAPIError.instance(None, None, error, driver.Error, connection_invalidated=lost, dialect=dialect)
