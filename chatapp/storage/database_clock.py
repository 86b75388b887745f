"""`ago`: a moment by the database's own clock, so that hosts whose clocks differ mean the same by it."""

from datetime import datetime
from typing import Any

from sqlalchemy import FunctionElement
from sqlalchemy import literal
from sqlalchemy.ext.compiler import compiles

from chatapp.storage.models import UtcDateTime


class _Ago(FunctionElement[datetime]):
    name = "ago"
    type = UtcDateTime()
    inherit_cache = True


def ago(seconds: float = 0.0) -> FunctionElement[datetime]:
    """So many seconds before now; on PostgreSQL before the beginning of the transaction."""
    return _Ago(literal(float(seconds)))


@compiles(_Ago, "postgresql")
def _on_postgresql(element: _Ago, compiler: Any, **how: Any) -> str:
    return f"(now() - make_interval(secs => {compiler.process(element.clauses, **how)}))"


@compiles(_Ago, "sqlite")
def _on_sqlite(element: _Ago, compiler: Any, **how: Any) -> str:
    # As SQLAlchemy writes moments there: text with microseconds, in UTC.
    seconds = compiler.process(element.clauses, **how)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || {seconds} || ' seconds')"
