"""`pages`: long work in short transactions, each of which goes on where the one before ended."""

from collections.abc import Callable
from collections.abc import Iterator
from typing import TypeVar

from sqlalchemy.orm import Session as Transaction

Found = TypeVar("Found")
Place = TypeVar("Place")

Page = tuple[Found, Place | None]


def pages(
    run: Callable[[Callable[[Transaction], Page[Found, Place]]], Page[Found, Place]],
    work: Callable[[Transaction, Place], Page[Found, Place]],
    first: Place,
) -> Iterator[Found]:
    """What each page gives. `work` is told where it begins, and says where the next one does, None behind the last."""
    after: Place | None = first
    while after is not None:
        place = after
        found, after = run(lambda tx, place=place: work(tx, place))  # type: ignore[misc]
        yield found
