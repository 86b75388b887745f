"""What is imported, as it is stored: ids that come out the same each time, and texts that the rules take."""

import re
from collections.abc import Iterator
from hashlib import sha256

from chatapp.keeping.said import Said
from chatapp.wire import rules
from chatapp.wire import schemas

# Of people and messages that were brought here. No guest (`u_`) or host's user (`h_`) has it; nobody signs in by it.
PERSON_PREFIX, MESSAGE_PREFIX = "i_", "imp-"
PERSON = re.compile(rf"{PERSON_PREFIX}[0-9a-f]{{32}}")
# What `chatapp export` wrote.
FROM_HERE = "chatapp"
# What a name becomes of which nothing can be shown.
NAMELESS = "Somebody"
# Where a text may be cut, the best first.
SEAMS = ("\n", " ")


def person_id(kind: str, key: str) -> str:
    """Somebody who was brought here before stays the same; elsewhere, anybody may be called like that."""
    if kind == FROM_HERE and PERSON.fullmatch(key):
        return key
    return PERSON_PREFIX + sha256(f"{kind}\n{key}".encode()).hexdigest()[:32]


def local_id(kind: str, room: str, key: str, part: int) -> str:
    """Of the same message in the same room always the same one."""
    return MESSAGE_PREFIX + sha256(f"{kind}\n{room}\n{key}\n{part}".encode()).hexdigest()[:40]


def shown_name(name: str) -> str:
    return schemas.host_name(fit(name)) or NAMELESS


def fit(text: str) -> str:
    """Without what no message may hold."""
    return rules.UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def parts(said: Said, most: int) -> Iterator[str]:
    """What it says in as many messages as it takes; none if it says nothing."""
    if said.deleted_ms is not None:
        yield ""
        return
    left = fit(said.body)
    while left.strip():
        part, left = _cut(left, most)
        if part.strip():
            yield part


def _cut(text: str, most: int) -> tuple[str, str]:
    """The first part, at a seam in its second half if there is one."""
    if len(text) <= most:
        return text, ""
    for seam in SEAMS:
        at = text.rfind(seam, most // 2, most)
        if at > 0:
            return text[:at], text[at + 1 :]
    return text[:most], text[most:]
