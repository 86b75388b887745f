"""`StatementsSeen`: every statement that an engine's connections run, its plan, and what the plan costs.

On the driver's cursor, below SQLAlchemy and `Rows`: nothing goes past it.
"""

import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import psycopg
from psycopg.errors import Diagnostic
from sqlalchemy import Engine
from sqlalchemy import event

# What grows as long as the service is used.
GROWING = ("messages", "events", "memberships", "receipts", "users", "sessions", "rooms")
# The indexes that hold only what waits to be published.
WAITING = ("ix_events_unpublished", "ix_events_unpublished_moves", "ix_rooms_unswept")
# What holds only those messages that grow just now.
PASSING = {"growths"}
# SQLite counts its steps by so many.
STEPS = 100
QUERY = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
WRITE = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
NAMED = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO|,)\s+(?:\w+\.)?({'|'.join(GROWING)})(?:\s+AS\s+(\w+))?\b")
# What a page for a reader of two thousand rooms takes, and a little more than a room of twenty thousand has members. A
# whole table, or each of the messages times each of the members, is far above.
STEPS_MAX = 1_000_000
ROWS_MAX = 25_000


@dataclass
class Seen:
    """One statement: how it was planned, in each way that it was, and the dearest time that it ran."""

    text: str
    plans: dict[str, int] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)


class StatementsSeen:
    def __init__(self) -> None:
        self.statements: dict[str, Seen] = {}
        # The lines of the service from which one was run: file and number.
        self.lines: set[tuple[str, int]] = set()
        self.texts: set[str] = set()
        # Explained by PostgreSQL in the same words before: what is wrong in it is known. Of a statement that runs for
        # each of a thousand rows, most are.
        self._explained_so: set[str] = set()

    def watch(self, engine: Engine, *, generic: bool = False) -> None:
        """From here on. `generic`: on PostgreSQL, plan without the parameters, as it may do from the sixth time on."""
        engine.dispose()
        if engine.dialect.name == "sqlite":
            event.listen(engine, "do_connect", self._sqlite)
        else:
            event.listen(engine, "connect", lambda driver, _: self._postgres(driver, generic))

    @property
    def wrong(self) -> list[str]:
        """What no statement may do, with the statement."""
        found = [f"{wrong}\n{seen.text}" for seen in self.statements.values() for wrong in sorted(seen.wrong)]
        return sorted(found)

    def took(self, text: str) -> None:
        self.texts.add(text)
        frame = sys._getframe(2)
        while frame is not None:
            if "/chatapp/" in frame.f_code.co_filename:
                self.lines.add((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back  # type: ignore[assignment]

    def planned(self, text: str, plan: str, cost: int, wrong: Iterator[str]) -> None:
        seen = self.statements.setdefault(text, Seen(text))
        seen.plans[plan] = max(cost, seen.plans.get(plan, 0))
        seen.wrong.update(wrong)

    def _sqlite(self, dialect: Any, record: Any, arguments: Any, parameters: dict[str, Any]) -> None:
        parameters["factory"] = _sqlite_connection(self)

    def _postgres(self, driver: psycopg.Connection, generic: bool) -> None:
        driver.cursor_factory = _postgres_cursor(self)
        with psycopg.Cursor(driver) as cursor:
            cursor.execute("LOAD 'auto_explain'")
            for setting in (
                "auto_explain.log_min_duration = 0",
                "auto_explain.log_analyze = on",
                "auto_explain.log_timing = off",
                "auto_explain.log_format = json",
                "auto_explain.log_nested_statements = on",
                "client_min_messages = log",
                f"plan_cache_mode = {'force_generic_plan' if generic else 'auto'}",
            ):
                cursor.execute(f"SET {setting}".encode())
        driver.commit()
        if generic:
            driver.prepare_threshold = 0
        driver.add_notice_handler(self._explained)

    def _explained(self, said: Diagnostic) -> None:
        _, plan, told = (said.message_primary or "").partition("plan:\n")
        if not plan or told in self._explained_so:
            return
        self._explained_so.add(told)
        explained = json.loads(told)
        text, root = explained["Query Text"], explained["Plan"]
        if not text.startswith("EXPLAIN"):
            self.planned(text, _outline(root), _rows(root), _wrong_in_postgres(root))


def _sqlite_connection(seen: StatementsSeen) -> type[sqlite3.Connection]:
    class Cursor(sqlite3.Cursor):
        def execute(self, text: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if QUERY.match(text):
                seen.took(text)
                lines, steps = self._tried(text, parameters)
                seen.planned(text, "\n".join(lines), steps, _wrong_in_sqlite(text, lines, steps))
            return super().execute(text, parameters)

        def executemany(self, text: str, parameters: Any, /) -> sqlite3.Cursor:
            every = list(parameters)
            seen.took(text)
            lines, steps = self._tried(text, every[0])
            seen.planned(text, "\n".join(lines), steps, _wrong_in_sqlite(text, lines, steps))
            return super().executemany(text, every)

        def _tried(self, text: str, parameters: Any) -> tuple[list[str], int]:
            """The plan, and what the statement takes: it is run, and taken back."""
            other = sqlite3.Cursor(self.connection)
            lines = [row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
            steps = [0]

            def count() -> int:
                steps[0] += STEPS
                return 0

            write = WRITE.match(text)
            if write:
                other.execute("SAVEPOINT tried")
            self.connection.set_progress_handler(count, STEPS)
            try:
                other.execute(text, parameters).fetchall()
            except sqlite3.IntegrityError:
                pass
            finally:
                self.connection.set_progress_handler(None, STEPS)
                if write:
                    other.execute("ROLLBACK TO tried")
                    other.execute("RELEASE tried")
                other.close()
            return lines, steps[0]

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor, /) -> Any:
            return super().cursor(factory)

    return Connection


def _postgres_cursor(seen: StatementsSeen) -> type[psycopg.Cursor[Any]]:
    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            seen.took(str(query))
            return super().execute(query, params, **options)

        def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            seen.took(str(query))
            super().executemany(query, params_seq, **options)

    return Cursor


def _wrong_in_sqlite(text: str, plan: list[str], steps: int) -> Iterator[str]:
    tables = {alias or table for table, alias in NAMED.findall(text)}
    for line in plan:
        scanned = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", line)
        if scanned and scanned[1] in tables - PASSING and scanned[2] not in WAITING:
            yield f"reads a whole table: {line}"
        if "AUTOMATIC" in line:
            yield f"makes an index for itself: {line}"
    if steps > STEPS_MAX:
        yield f"takes {steps:,} steps: {'; '.join(plan)}"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _read(node: dict[str, Any]) -> int:
    """Rows that it looked at, over all its turns."""
    removed = sum(int(node.get(f"Rows Removed by {by}", 0)) for by in ("Filter", "Index Recheck", "Join Filter"))
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])


def _rows(plan: dict[str, Any]) -> int:
    return max(_read(node) for node in _nodes(plan))


def _outline(plan: dict[str, Any]) -> str:
    on = plan.get("Index Name") or plan.get("Relation Name") or plan.get("Sort Key")
    inner = "".join(f"\n{_outline(one)}" for one in plan.get("Plans", ()))
    head = f"{plan['Node Type']} {on or ''} {plan['Actual Rows']} × {plan['Actual Loops']}".replace("  ", " ")
    return head + inner.replace("\n", "\n  ")


def _wrong_in_postgres(plan: dict[str, Any]) -> Iterator[str]:
    for node in _nodes(plan):
        if node["Node Type"] == "Seq Scan" and node.get("Relation Name") in GROWING and node["Actual Loops"]:
            yield f"reads the whole of {node['Relation Name']}:\n{_outline(plan)}"
        if _read(node) > ROWS_MAX:
            yield f"{node['Node Type']} of {_read(node):,} rows:\n{_outline(plan)}"
