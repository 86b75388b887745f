"""`Wanted`: which rooms a connection asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """These names, or None for all rooms that the user belongs to.

    `lenient` leaves out those that may not be read, as long as one remains: a browser that comes back
    by itself cannot change its address.
    """

    names: frozenset[str] | None = None
    lenient: bool = False

    @property
    def by_name(self) -> bool:
        return self.names is not None
