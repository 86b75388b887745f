"""The time of day, to the millisecond: what the wire shows is what the database keeps."""

import time
from datetime import UTC
from datetime import datetime


def now_ms() -> int:
    """Milliseconds since 1970, by this machine's clock."""
    return time.time_ns() // 1_000_000


def utc_now() -> datetime:
    """The same as a moment in UTC."""
    return datetime.fromtimestamp(now_ms() / 1000, UTC)


def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds, as `2026-11-22T10:00:00.123Z`."""
    return None if moment is None else f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
