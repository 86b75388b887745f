"""`Identity`: who asks."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and by which session.

    `expires_at` is the end that is shown; `ends_at` is the end that is kept, with the leeway of a host's token.
    `rooms` are the only ones that exist for this identity, or None for all.
    """

    id: str
    name: str
    session_id: str
    expires_at: datetime
    ends_at: datetime
    rooms: frozenset[str] | None = None

    def knows(self, room: str) -> bool:
        """Whether a room of this name exists for this identity at all."""
        return self.rooms is None or room in self.rooms
