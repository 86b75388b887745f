"""The secret of this host against those of the others that use the same database."""

from sqlalchemy import Connection
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import error
from chatapp.command.check.finding import ok
from chatapp.config import Config
from chatapp.people import differing
from chatapp.people import there
from chatapp.storage import Host

PART = "SECRET_KEY"


def look(connection: Connection, config: Config) -> Finding:
    if not inspect(connection).has_table(Host.__tablename__):
        return ok(PART, "no other host has told its own")
    with Session(connection) as session:
        found = there(session)
    others = differing(found, config.secret_key)
    if others:
        return error(PART, f"another one is set on {', '.join(others)}: give all hosts the same")
    return ok(PART, f"the same on all hosts that serve: {len(found)}")
