"""Where a page of a list begins, as clients carry it: opaque to them, and made of whatever the list is sorted by."""

import base64
import json

from chatapp.errors import InvalidParameter


def written(*place: str) -> str:
    """What is given as `after`."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read(after: str | None, parts: int = 2) -> tuple[str, ...] | None:
    """The place again; None for the first page. Raises InvalidParameter for what no page gave."""
    if after is None:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(after.encode() + b"=" * (-len(after) % 4)))
        if isinstance(place, list) and len(place) == parts and all(map(_fit, place)):
            return tuple(place)
    except (ValueError, RecursionError):
        pass
    raise InvalidParameter("after: take it from the page before.")


def _fit(part: object) -> bool:
    """Whether a database takes it. Raises ValueError for a lone surrogate."""
    return isinstance(part, str) and b"\0" not in part.encode()
