"""Where imports come from: each source reads files of one kind, and gives what was said in its order."""

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from chatapp.keeping.said import Refused
from chatapp.keeping.said import Said
from chatapp.keeping.sources import exported
from chatapp.keeping.sources import irc
from chatapp.keeping.sources import mattermost
from chatapp.keeping.sources import slack
from chatapp.keeping.sources.fault import SourceFault
from chatapp.keeping.sources.names import NAMELESS_PREFIX

Read = Callable[[Path], Iterator[Said | Refused]]

READERS: dict[str, Read] = {
    "chatapp": exported.read,
    "slack": slack.read,
    "mattermost": mattermost.read,
    "irc": irc.read,
}


def kind_of(path: Path) -> str:
    """By what it looks like. Raises SourceFault, OSError."""
    if path.is_dir():
        return "slack"
    with path.open("rb") as file:
        first = next((line for line in (file.readline(1_000_000) for _ in range(100)) if line.strip()), b"")
    if first.startswith(b"PK\x03\x04"):
        return "slack"
    if not first.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
        return "irc"
    return "chatapp" if b'"createdAt"' in first else "mattermost"


__all__ = ["NAMELESS_PREFIX", "READERS", "SourceFault", "kind_of"]
