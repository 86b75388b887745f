"""Alembic's entry: runs the migrations on the application's database, each in a transaction of its own."""

from alembic import context
from flask import current_app

from chatapp.storage.long_work import long_work_engine


def run() -> None:
    db = current_app.extensions["migrate"].db
    postgresql = db.engine.dialect.name == "postgresql"
    engine = long_work_engine(db.engine.url) if postgresql else db.engine
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=db.metadata, render_as_batch=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()


run()
