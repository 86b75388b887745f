"""What a value from outside has to be: each rule checks, and says the same in the words of JSON Schema.

A rule raises ValidationError. Its `json_schema` is what the documents of the API show of it; what takes long to find
out stands there as a function.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from itertools import groupby
from typing import Any

from marshmallow import ValidationError

from chatapp.wire import content
from chatapp.wire import unicode_ranges
from chatapp.wire import visible_text

Rule = Callable[[Any], None]

BODY_MAX_CODE_POINTS = 4000
# Of a message that grows, in the end.
GROWN_MAX_CODE_POINTS = 32_000
TITLE_MAX_CODE_POINTS = 100

# Control characters (Cc) except tab and newline, and surrogates (Cs).
UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# The same in patterns, without surrogates: JSON in UTF-8 has none, and some readers of patterns take none.
_CONTROL = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f"
_SPACE = r"\t\n \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
FIT_PATTERN = f"^[^{_CONTROL}]*$"
BODY_PATTERN = f"^[^{_CONTROL}]*[^{_CONTROL}{_SPACE}][^{_CONTROL}]*$"
# Beyond it there are no marks but those that hide.
MARKS_END = 0x20000


@cache
def _ranges(*categories: str) -> str:
    """The characters of some categories, as the inside of a character class."""
    found = [point for point in range(MARKS_END) if unicodedata.category(chr(point)).startswith(categories)]
    runs = [[point for _, point in run] for _, run in groupby(enumerate(found), lambda pair: pair[1] - pair[0])]
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in runs)


_HIDDEN = re.sub("[\ud800-\udfff]-?", "", unicode_ranges.IGNORABLE + unicode_ranges.CONTROL + unicode_ranges.BLANK)


def title_pattern() -> str:
    """What may stand in names and titles, but for the joiners and selectors that spell something in their place."""
    return f"^[{_ranges('Zs')}]*{_visible_pattern()}"


def name_pattern() -> str:
    """A name is trimmed before it is counted."""
    return f"^{_visible_pattern()}"


def _visible_pattern() -> str:
    return f"[^{_HIDDEN}{_ranges('M', 'Z')}][^{_HIDDEN}]*$"


def described(**json_schema: Any) -> Callable[[Rule], Rule]:
    """Say of a rule what it is in JSON Schema."""

    def mark(rule: Rule) -> Rule:
        rule.json_schema = json_schema  # type: ignore[attr-defined]
        return rule

    return mark


def matches(pattern: re.Pattern[str], message: str) -> Rule:
    @described(pattern=f"^{pattern.pattern}$")
    def check(value: str) -> None:
        if pattern.fullmatch(value) is None:
            raise ValidationError(message)

    return check


def text(least: int, most: int) -> Rule:
    @described(minLength=least, maxLength=most, pattern=FIT_PATTERN)
    def check(value: str) -> None:
        if not least <= len(value) <= most:
            raise ValidationError(f"Between {least} and {most} characters.")
        if UNFIT.search(value):
            raise ValidationError("No control characters but tab and newline, and no lone surrogates.")

    return check


def body(most: int) -> Rule:
    fit = text(1, most)

    @described(minLength=1, maxLength=most, pattern=BODY_PATTERN)
    def check(value: str) -> None:
        fit(value)
        if value.isspace():
            raise ValidationError("Not only white space.")

    return check


@described(type="integer", minimum=0, maximum=GROWN_MAX_CODE_POINTS)
def position(value: Any) -> None:
    """5.0 is a whole number to JSON Schema."""
    whole = type(value) is int or (type(value) is float and value.is_integer())
    if not whole or not 0 <= value <= GROWN_MAX_CODE_POINTS:
        raise ValidationError(f"A whole number from 0 to {GROWN_MAX_CODE_POINTS}.")


@described(minLength=1, maxLength=TITLE_MAX_CODE_POINTS, pattern=title_pattern)
def title(value: str) -> None:
    if not 1 <= len(value) <= TITLE_MAX_CODE_POINTS:
        raise ValidationError(f"Between 1 and {TITLE_MAX_CODE_POINTS} characters.")
    visible(value)


def visible(value: str) -> None:
    fault = visible_text.fault(value)
    if fault is not None:
        raise ValidationError(fault)


@described(type="boolean")
def boolean(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValidationError("Either true or false.")


@described(type="boolean", const=True)
def true(value: Any) -> None:
    if value is not True:
        raise ValidationError("Only true.")


def data(value: Any) -> None:
    fault = content.fault(value)
    if fault is not None:
        raise ValidationError(fault)
