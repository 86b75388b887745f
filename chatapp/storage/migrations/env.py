"""Alembic's entry: runs the migrations on the application's database."""

from alembic import context
from flask import current_app

from chatapp.storage.postgres_settings import for_long_work


def run() -> None:
    db = current_app.extensions["migrate"].db
    with db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True)
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # A table of millions takes longer to change than any request may take.
                connection.exec_driver_sql(for_long_work())
            context.run_migrations()


run()
