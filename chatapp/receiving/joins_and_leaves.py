"""`Moves`: one user's joining and leaving since a cursor."""

from collections.abc import Iterable
from typing import Protocol


class Move(Protocol):
    """A row of the kept log, as far as it matters here."""

    @property
    def number(self) -> int: ...
    @property
    def room_id(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def log_id(self) -> int | None: ...


class Moves:
    """What a reader who follows joins and leaves is given of a room: what was said while the user belonged to it.

    What was said while they were away is left to the history.
    """

    def __init__(self, moves: Iterable[Move]) -> None:
        self._by_room: dict[int, list[Move]] = {}
        for move in sorted(moves, key=_published_order):
            self._by_room.setdefault(move.room_id, []).append(move)

    def follows(self, row: Move) -> bool:
        """Whether the user, who belongs to the room now, belonged to it at this row. Their own moves are all given."""
        moves = self._by_room.get(row.room_id)
        if moves is None or any(move.number == row.number for move in moves):
            return True
        before = [move for move in moves if _published_order(move) < _published_order(row)]
        return before[-1].type == "member.joined" if before else moves[0].type == "member.left"


def _published_order(row: Move) -> tuple[bool, int]:
    return (row.log_id is None, row.number if row.log_id is None else row.log_id)
