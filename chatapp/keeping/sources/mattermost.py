"""A bulk export of Mattermost (`mmctl export`): JSON Lines, of which the posts with their replies are taken.

https://docs.mattermost.com/onboard/bulk-loading-data.html: posts come in no order, so their places in the file are
sorted first: some 100 bytes of memory a post.
"""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from typing import NamedTuple

from chatapp.keeping.said import Refused
from chatapp.keeping.said import Said
from chatapp.keeping.sources import json_lines
from chatapp.keeping.sources.lines import lines
from chatapp.keeping.sources.names import room_name

# A post with all its replies.
LINE_MAX_BYTES = 64_000_000
# Posts that are held at once: the replies of some stand between those of others.
POSTS_AT_ONCE = 4
OPEN = "O"
FAULTS = AttributeError, KeyError, OverflowError, TypeError, ValueError


class Channel(NamedTuple):
    team: str
    name: str


class Place(NamedTuple):
    """Of a post: where its line begins, and which reply of it (0 for itself)."""

    channel: Channel
    at_ms: int
    line: int
    offset: int
    reply: int


class Contents:
    """What stands where in the file."""

    def __init__(self) -> None:
        # Of each what the file says of its type, in the end: "" where it says nothing, as of a private one.
        self.types: dict[Channel, str] = {}
        self._known: dict[Channel, Channel] = {}
        self.places: list[Place] = []
        self.refused: list[Refused] = []

    def take(self, line: int, offset: int, document: dict[str, Any]) -> None:
        """What a line says. Nothing but channels and posts counts."""
        try:
            if document.get("type") == "channel":
                channel = document["channel"]
                self.types[self._channel(channel)] = channel["type"]
            elif document.get("type") == "post":
                post = document["post"]
                of = self._channel({"team": post.get("team"), "name": post["channel"]})
                for reply, one in enumerate([post, *(post.get("replies") or [])]):
                    self._post(Place(of, 0, line, offset, reply), one)
        except FAULTS:
            self.refused.append(Refused(str(line), f"it is no {document['type']}"))

    def _channel(self, found: dict[str, Any]) -> Channel:
        """The same object each time: there are many posts."""
        channel = Channel(json_lines.text(found.get("team") or ""), json_lines.text(found["name"]))
        self.types.setdefault(channel, "")
        return self._known.setdefault(channel, channel)

    def _post(self, place: Place, post: dict[str, Any]) -> None:
        try:
            if post["message"] is not None and post["user"] is not None:
                json_lines.text(post["message"] + post["user"])
                self.places.append(place._replace(at_ms=int(post["create_at"])))
        except FAULTS:
            self.refused.append(Refused(str(place.line), "it is no post" if place.reply == 0 else "a reply is none"))


def read(path: Path) -> Iterator[Said | Refused]:
    contents = _contents(path)
    yield from contents.refused
    rooms = _rooms(contents.types)
    seen: dict[tuple[Channel, int, str, str], int] = {}
    with path.open("rb") as file:

        @lru_cache(POSTS_AT_ONCE)
        def post_at(offset: int) -> dict[str, Any]:
            file.seek(offset)
            document = json_lines.document(file.readline(LINE_MAX_BYTES), "")
            assert not isinstance(document, Refused)
            post: dict[str, Any] = document["post"]
            return post

        for channel, at_ms, line, offset, reply in contents.places:
            post = post_at(offset)
            one = post if reply == 0 else post["replies"][reply - 1]
            user, text = one["user"], one["message"]
            # Exports have no ids: the same words of one person within a millisecond are told apart by their number.
            again = seen[channel, at_ms, user, text] = seen.get((channel, at_ms, user, text), 0) + 1
            if len(seen) > 1_000:
                seen.pop(next(iter(seen)))
            key = f"{channel.team}\n{channel.name}\n{at_ms}\n{user}\n{text}\n{again}"
            private = contents.types[channel] != OPEN
            yield Said(str(line), rooms[channel], key, user, user, text, at_ms, channel=channel.name, private=private)


def _contents(path: Path) -> Contents:
    contents = Contents()
    for number, offset, raw in lines(path, LINE_MAX_BYTES):
        found = json_lines.document(raw, str(number)) if raw is None or raw.strip() else {}
        if isinstance(found, Refused):
            contents.refused.append(found)
        else:
            contents.take(number, offset, found)
    contents.places.sort()
    return contents


def _rooms(channels: Iterable[Channel]) -> dict[Channel, str]:
    """What each is called here: with its team, where several have one of that name."""
    teams = defaultdict(set)
    for channel in channels:
        teams[channel.name].add(channel.team)
    return {
        channel: room_name(channel.name if len(teams[channel.name]) == 1 else f"{channel.team} {channel.name}")
        for channel in channels
    }
