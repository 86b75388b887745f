"""What another service's channels are called here."""

import re
import unicodedata
from hashlib import sha256

from chatapp.wire import schemas

NAME_MAX = 64
# Of a channel whose name leaves nothing.
NAMELESS_PREFIX = "channel-"
NOT_FIT = re.compile(r"[^a-z0-9]+")


def room_name(name: str) -> str:
    """In small letters, digits and hyphens; one of its own if nothing of it is left."""
    plain = unicodedata.normalize("NFKD", name).casefold().encode("ascii", "ignore").decode()
    found = NOT_FIT.sub("-", plain).strip("-")
    while found.startswith(schemas.DIRECT_PREFIX):
        # Those are kept for direct rooms.
        found = found.removeprefix(schemas.DIRECT_PREFIX)
    return found[:NAME_MAX] or f"{NAMELESS_PREFIX}{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
