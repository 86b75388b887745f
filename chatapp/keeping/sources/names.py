"""What another service's channels are called here."""

import re
import unicodedata

from chatapp.wire import schemas

NAME_MAX = 64
NOT_FIT = re.compile(r"[^a-z0-9]+")


def room_name(name: str) -> str:
    """In small letters, digits and hyphens; "" if nothing of it is left."""
    plain = unicodedata.normalize("NFKD", name).casefold().encode("ascii", "ignore").decode()
    found = NOT_FIT.sub("-", plain).strip("-")[:NAME_MAX]
    # Those are kept for direct rooms.
    return found.removeprefix(schemas.DIRECT_PREFIX) if found.startswith(schemas.DIRECT_PREFIX) else found
