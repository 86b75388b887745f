"""`Signal`: news of a room that is not in the log. Pure."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Signal:
    """`body` is what the event says besides type and cursor.

    Members who follow the room hear it: of them only the user `to`, or all but the user `without`.
    """

    type: str
    room_id: int
    body: dict[str, Any]
    to: str | None = None
    without: str | None = None

    def packed(self) -> dict[str, Any]:
        """As it goes from worker to worker."""
        return {
            "type": self.type,
            "room_id": self.room_id,
            "body": self.body,
            "to": self.to,
            "without": self.without,
        }

    @classmethod
    def unpacked(cls, packed: dict[str, Any]) -> "Signal":
        """Raises TypeError for what is no signal of a room."""
        return cls(**packed)

    def for_user(self, user_id: str) -> bool:
        return user_id != self.without and self.to in (None, user_id)
