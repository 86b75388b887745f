"""JSON as it stands on the wire, in and out. Pure.

Out, orjson. In, the standard parser with hooks, because orjson does not see duplicate keys.
"""

import json
from typing import Any

import orjson

# U+2028 and U+2029 are line breaks to Python's readers and to old JavaScript, and to neither JSON nor SSE.
_SEPARATORS_BEGIN = b"\xe2\x80"
_SEPARATORS = ((b"\xe2\x80\xa8", rb"\u2028"), (b"\xe2\x80\xa9", rb"\u2029"))


# A hundred for each message of a batch.
OBJECTS_MAX = 10_000
# No double is longer; Python's own limit is 4,300.
NUMBER_MAX_DIGITS = 310


class NotJson(ValueError):
    """The text is not JSON that this service takes. The text of the error says why."""


def dumps(value: Any) -> bytes:
    """One line of JSON in UTF-8. Whatever may be taken for a line break inside strings is escaped."""
    text = orjson.dumps(value)
    # Nearly no text has one of the characters that begin so in UTF-8 (dashes and quotes do too).
    if _SEPARATORS_BEGIN not in text:
        return text
    for separator, escaped in _SEPARATORS:
        text = text.replace(separator, escaped)
    return text


def canonical(value: Any) -> bytes:
    """The same bytes however the keys of objects are ordered. To be compared, not to be sent."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def loads_trusted(raw: bytes) -> Any:
    """Parse what this service wrote itself. Raises ValueError."""
    return orjson.loads(raw)


def loads(raw: bytes) -> Any:
    """Parse a request body. Raises NotJson.

    Besides what is not JSON it refuses bytes that are not UTF-8, duplicate keys, NaN and infinities,
    numbers longer than any double, more objects than a batch has, and nesting deeper than the parser's
    stack.
    """
    try:
        return json.loads(
            # With a byte order mark, which some clients write (RFC 8259, 8.1).
            raw.decode("utf-8-sig"),
            object_pairs_hook=_Objects(),
            parse_constant=_no_constant,
            parse_int=_short_int,
        )
    except UnicodeDecodeError:
        raise NotJson("not UTF-8") from None
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at character {error.pos}") from None


class _Objects:
    """Makes the objects of one text, each key once, and not too many of them: each takes a call."""

    def __init__(self) -> None:
        self._left = OBJECTS_MAX

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0:
            raise NotJson("too many objects")
        document = dict(pairs)
        if len(document) != len(pairs):
            raise NotJson("a key stands twice")
        return document


def _no_constant(name: str) -> Any:
    raise NotJson(f"{name} is not JSON")


def _short_int(digits: str) -> int:
    if len(digits) > NUMBER_MAX_DIGITS:
        raise NotJson("a number is too long")
    return int(digits)
