"""A bulk export of Mattermost (`mmctl export`): JSON Lines, of which the posts with their replies are taken.

https://docs.mattermost.com/onboard/bulk-loading-data.html: posts come in no order, so their places in the file are
sorted first: some 100 bytes of memory a post.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chatapp.keeping.said import Refused
from chatapp.keeping.said import Said
from chatapp.keeping.sources import json_lines
from chatapp.keeping.sources.names import room_name

# Channel, moment, line, and which reply of the post (0 for itself).
Place = tuple[str, int, int, int]


def read(path: Path) -> Iterator[Said | Refused]:
    offsets, places, refused = _sorted(path)
    yield from refused
    seen: dict[tuple[str, int, str, str], int] = {}
    with path.open("rb") as file:
        for channel, at_ms, line, reply in places:
            file.seek(offsets[line])
            document = json_lines.document(file.readline(json_lines.LINE_MAX_BYTES), str(line))
            assert not isinstance(document, Refused)
            post = document["post"] if reply == 0 else document["post"]["replies"][reply - 1]
            user, text = str(post["user"]), str(post["message"])
            # Exports have no ids: the same words of one person within a millisecond are told apart by their number.
            again = seen[channel, at_ms, user, text] = seen.get((channel, at_ms, user, text), 0) + 1
            if len(seen) > 1_000:
                seen.pop(next(iter(seen)))
            key = f"{channel}\n{at_ms}\n{user}\n{text}\n{again}"
            yield Said(str(line), room_name(channel), key, user, user, text, at_ms)


def _sorted(path: Path) -> tuple[dict[int, int], list[Place], list[Refused]]:
    """Where each line with a post begins, the order of posts and replies, and what is none."""
    offsets: dict[int, int] = {}
    places: list[Place] = []
    refused: list[Refused] = []
    with path.open("rb") as file:
        number, offset = 0, 0
        while raw := file.readline(json_lines.LINE_MAX_BYTES):
            number += 1
            found = json_lines.document(raw, str(number)) if raw.strip() else {}
            if isinstance(found, Refused):
                refused.append(found)
            elif found.get("type") == "post":
                posts = _posts(found.get("post"), number)
                places += posts
                offsets[number] = offset
                if not posts:
                    refused.append(Refused(str(number), "it is no post"))
            offset += len(raw)
    places.sort()
    return offsets, places, refused


def _posts(post: Any, number: int) -> list[Place]:
    try:
        replies = post.get("replies") or []
        return [
            (str(post["channel"]), int(one["create_at"]), number, at)
            for at, one in enumerate([post, *replies])
            if one["message"] is not None and one["user"] is not None
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []
