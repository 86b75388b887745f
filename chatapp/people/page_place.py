"""Where a page of a list begins, as clients carry it: opaque to them, and made of whatever the list is sorted by.

Whatever has the form is a place, also one that no page gave: some page begins there.
"""

import base64
import re

from chatapp.errors import InvalidParameter

_PART = "(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?"
# In base64url, with a dot between.
PLACE_PATTERN = rf"^{_PART}\.{_PART}$"
_PLACE = re.compile(rf"{_PART}\.{_PART}", re.ASCII)


def written(first: str, second: str) -> str:
    """What is given as `after`."""
    return f"{_encoded(first)}.{_encoded(second)}"


def read(after: str | None) -> tuple[str, str] | None:
    """The place again; None for the first page. Raises InvalidParameter for what no page gives."""
    if after is None:
        return None
    if _PLACE.fullmatch(after) is None:
        raise InvalidParameter("after: take it from the page before.")
    first, _, second = after.partition(".")
    return _decoded(first), _decoded(second)


def _encoded(part: str) -> str:
    return base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")


def _decoded(part: str) -> str:
    """What a database takes: UTF-8 without NUL."""
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")
