"""Everything that depends on more of psycopg than other drivers have.

What would break it, in a new version of psycopg: `executemany(..., returning=True)` gives its results by something else
than `results()`, or no longer sends all of them in one round trip (its pipeline mode).
"""

from collections.abc import Sequence
from typing import Any


def ask_each(cursor: Any, text: str, parameters: Sequence[dict[str, Any]]) -> list[list[tuple[Any, ...]]]:
    """What a query returns for each of these, in their order, in one round trip for all."""
    cursor.executemany(text, parameters, returning=True)
    return [result.fetchall() for result in cursor.results()]
