"""`Prepared`, a statement that is compiled once, and `Rows`, the transaction on the driver's own cursor that runs it.

SQLAlchemy writes the statements. Executing one through it takes as long as SQLite takes for ten.
"""

import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY
from sqlalchemy import BigInteger
from sqlalchemy import BindParameter
from sqlalchemy import ClauseElement
from sqlalchemy import ColumnElement
from sqlalchemy import Dialect
from sqlalchemy import Select
from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import Update
from sqlalchemy import any_
from sqlalchemy import bindparam
from sqlalchemy import cast
from sqlalchemy import column
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from chatapp.storage import psycopg_ties
from chatapp.storage import sqlalchemy_ties

DIALECTS = ("sqlite", "postgresql")

# What makes an upsert of an insert, in the words that both dialects know.
Finish = Callable[[Any], Any]
Row = tuple[Any, ...]


class Prepared:
    """A statement with named parameters, as a dialect's driver takes it. `by_dialect` where their words differ."""

    def __init__(self, statement: ClauseElement | None = None, **by_dialect: ClauseElement) -> None:
        self._statement = statement
        self._by_dialect = by_dialect
        self._compiled: dict[str, Compiled] = {}

    @classmethod
    def among(cls, of: Any, name: str, make: Callable[[ColumnElement[bool]], ClauseElement]) -> "Prepared":
        """A statement about those rows whose column `of` has one of the elements of a JSON array, the parameter `name`;
        `make` is given the condition."""
        return cls(**{dialect: make(among_these) for dialect, among_these in listed_in(of, name).items()})

    def compiled(self, dialect: Dialect) -> "Compiled":
        found = self._compiled.get(dialect.name)
        if found is None:
            statement = self._by_dialect.get(dialect.name, self._statement)
            assert statement is not None
            found = self._compiled[dialect.name] = Compiled(statement, dialect)
        return found


def inserted_if(table: Table, columns: Sequence[str], condition: ColumnElement[bool], finish: Finish) -> Prepared:
    """Insert a row of these parameters where the condition holds. `finish` says what happens if it is there."""
    row = select(*[bindparam(name, type_=table.c[name].type) for name in columns]).where(condition)
    return Prepared(
        sqlite=finish(sqlite_insert(table).from_select(columns, row)),
        postgresql=finish(postgresql_insert(table).from_select(columns, row)),
    )


def for_all(make: Callable[[dict[str, ColumnElement[Any]]], Update], **types: type[TypeEngine[Any]]) -> Prepared:
    """An update for any number of rows. `make` is given what stands for the parameters of one, by name.

    On PostgreSQL one statement for all of them, whose parameters are arrays: it takes a fifth of the time of as many
    statements. SQLite runs it row by row, within the process.
    """
    one = make({name: bindparam(name, type_=type_()) for name, type_ in types.items()})
    arrays = [bindparam(name, type_=ARRAY(type_())) for name, type_ in types.items()]
    given = (
        func.unnest(*arrays).table_valued(*(column(name, type_()) for name, type_ in types.items())).render_derived()
    )
    return Prepared(sqlite=one, postgresql=make({name: given.c[name] for name in types}))


def listed(name: str, type_: type[TypeEngine[Any]]) -> dict[str, Select[Any]]:
    """By dialect, the elements of a parameter that is a JSON array: one parameter, however long the list is."""
    return _elements(bindparam(name, type_=String), type_)


def listed_pairs(name: str, first: str, second: str) -> dict[str, Select[Any]]:
    """The same of a JSON array of pairs of whole numbers, under these names."""
    whole = bindparam(name, type_=String)
    sqlite = func.json_each(whole).table_valued("value")
    postgresql = func.json_array_elements(cast(whole, JSON)).table_valued(column("value", JSON))
    names = {0: first, 1: second}
    return {
        "sqlite": select(*(func.json_extract(sqlite.c.value, f"$[{at}]").label(name) for at, name in names.items())),
        "postgresql": select(
            *(cast(postgresql.c.value[at].astext, BigInteger).label(name) for at, name in names.items())
        ),
    }


def listed_in(of: Any, name: str) -> dict[str, ColumnElement[bool]]:
    """By dialect, whether a column has one of the elements of such a parameter.

    On PostgreSQL as an array, which an index is asked for: a list that is joined may be read anew for each row.
    """
    return _in_elements(of, bindparam(name, type_=String))


def one_of(transaction: Session, of: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether a column has one of these values, for a query of mapped classes. One parameter, however many there are:
    databases bound how many a statement may have, and each number of them would be another statement."""
    whole = bindparam(None, json.dumps(list(values)), type_=String)
    return _in_elements(of, whole)[transaction.get_bind().dialect.name]


def _elements(whole: BindParameter[str], type_: type[TypeEngine[Any]]) -> dict[str, Select[Any]]:
    sqlite = func.json_each(whole).table_valued("value")
    postgresql = func.json_array_elements_text(cast(whole, JSON)).table_valued("value")
    return {"sqlite": select(sqlite.c.value), "postgresql": select(cast(postgresql.c.value, type_))}


def _in_elements(of: Any, whole: BindParameter[str]) -> dict[str, ColumnElement[bool]]:
    elements = _elements(whole, type(of.type))
    array = func.array(elements["postgresql"].scalar_subquery(), type_=ARRAY(of.type))
    return {"sqlite": of.in_(elements["sqlite"]), "postgresql": of == any_(array)}


class Compiled:
    """`text` for the driver, and what turns the given parameters into the driver's."""

    __slots__ = ("_convert", "_fixed", "text")

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        self.text, self._fixed, self._convert = sqlalchemy_ties.compiled(statement, dialect)

    def parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        converted = {**self._fixed, **given}
        for name, process in self._convert.items():
            converted[name] = process(converted[name])
        return converted


def rows_within(transaction: Session) -> "Rows":
    """The driver's own cursor in a transaction of SQLAlchemy's. `Database` knows the errors that it raises."""
    connection = transaction.connection()
    return Rows(connection.connection.driver_connection, connection.dialect)


class Rows:
    """One transaction on a driver's own connection. Raises the driver's errors.

    `begin` and `commit` are for a connection that nobody else uses meanwhile. On PostgreSQL what is written in between
    is sent without waiting for answers: an error may come up later, with the next `ask` or the `commit`.
    """

    def __init__(self, driver: Any, dialect: Dialect) -> None:
        self._driver = driver
        self._dialect = dialect

    def begin(self, *, durable: bool, settings: str | None = None) -> None:
        """`settings` is a statement that makes those of the transaction, where it needs some of its own.

        Raises the driver's error when another process writes for too long.
        """
        if self._dialect.name == "sqlite":
            # Before the transaction: within one it cannot be changed.
            self._driver.cursor().execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._driver.cursor().execute("BEGIN IMMEDIATE")
            return
        psycopg_ties.begin(self._driver)
        if settings is not None:
            self._driver.cursor().execute(settings)
        if not durable:
            self._driver.cursor().execute("SET LOCAL synchronous_commit TO off")

    def commit(self) -> None:
        """Raises the driver's error."""
        if self._dialect.name == "sqlite":
            # Like all else here, compiled once; the driver's own way compiles it each time.
            self._driver.cursor().execute("COMMIT")
        else:
            psycopg_ties.commit(self._driver)

    def run(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of these, at least one."""
        compiled = statement.compiled(self._dialect)
        if len(rows) == 1:
            self._driver.cursor().execute(compiled.text, compiled.parameters(rows[0]))
        else:
            self._driver.cursor().executemany(compiled.text, [compiled.parameters(row) for row in rows])

    def run_all(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement of `for_all` for all of these, at least one."""
        if self._dialect.name == "sqlite":
            self.run(statement, rows)
        else:
            self.run(statement, [{name: [row[name] for row in rows] for name in rows[0]}])

    def ask(self, statement: Prepared, given: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows that it returns, as they come from the driver: columns that need no conversion."""
        compiled = statement.compiled(self._dialect)
        found: list[Row] = self._driver.cursor().execute(compiled.text, compiled.parameters(given or {})).fetchall()
        return found

    def ask_each(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> list[list[Row]]:
        """What it returns for each of these, in their order; over a network in one round trip for all."""
        if self._dialect.name == "sqlite" or len(rows) < 2:
            return [self.ask(statement, row) for row in rows]
        compiled = statement.compiled(self._dialect)
        return psycopg_ties.ask_each(self._driver.cursor(), compiled.text, [compiled.parameters(row) for row in rows])
