"""Alembic's entry: runs the migrations on the application's database."""

from alembic import context
from flask import current_app


def run() -> None:
    db = current_app.extensions["migrate"].db
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # A table of millions takes longer to change than any request may take.
            connection.exec_driver_sql("SET statement_timeout = 0")
            # Otherwise Alembic takes it for the caller's transaction, and leaves the commit to the caller.
            connection.commit()
        context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()


run()
