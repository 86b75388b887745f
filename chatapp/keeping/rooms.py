"""Rooms as operators name them."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.storage import Room
from chatapp.storage import one_of


def ids(tx: Transaction, names: Iterable[str]) -> dict[str, int]:
    """Those of these rooms that are there, by name."""
    there = select(Room.name, Room.id).where(one_of(tx, Room.name, names), Room.deleted_at.is_(None))
    return dict(tx.execute(there).all())
