"""Names and titles show all that they are: what may stand in them, and what hides. Pure.

Zero-width characters stand where they spell something: joiners in words and emoji, selectors of a glyph, the tags of a
flag. Anywhere else two texts that look the same could differ: there they are refused, or dropped from what a host says.
"""

import re
import unicodedata

from chatapp.wire import unicode_ranges as ranges

ZWNJ = "\u200c"
ZWJ = "\u200d"
TEXT_STYLE = "\ufe0e"
EMOJI_STYLE = "\ufe0f"
KEYCAP = "\u20e3"
KEYS = frozenset("0123456789#*")
MONGOLIAN_VOWEL_SEPARATOR = "\u180e"
# Canonical_Combining_Class of a virama, which takes a consonant's vowel away.
VIRAMA = 9
# More marks than any word has stand on one letter, and fewer joiners.
NEAR = 8

_HIDDEN = re.compile(f"[{ranges.IGNORABLE}{ranges.CONTROL}{ranges.BLANK}]")
# Of these, what means something in its place.
_PERHAPS = re.compile("[\u200c\u200d\ufe00-\ufe02\ufe0e\ufe0f\u180b-\u180f\U000e0020-\U000e007f\U000e0100-\U000e01ef]")
_PICTOGRAPH = re.compile(f"[{ranges.PICTOGRAPH}]")
_STYLES = re.compile(rf"[{EMOJI_STYLE}{ranges.SKIN_TONE}]*\Z")
_IDEOGRAPH = re.compile(f"[{ranges.IDEOGRAPH}]")
_IDEOGRAPH_SELECTOR = re.compile("[\ufe00-\ufe02\U000e0100-\U000e01ef]")
_JOINING = re.compile(f"[{ranges.JOINING}]")
_MONGOLIAN = re.compile(f"[{ranges.MONGOLIAN}]")
_MONGOLIAN_SELECTOR = re.compile("[\u180b-\u180d\u180f]")
# A black flag, a country, its part, and the end: England, Scotland, Wales, Texas.
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,3}\U000e007f")


def fault(text: str) -> str | None:
    """Why the text may not be shown, for people, or None."""
    if _is_mark(text[:1]):
        return "Begins with a mark that belongs behind a letter."
    for found in _HIDDEN.finditer(text):
        if not _spells(text, found.start()):
            return f"U+{ord(found[0]):04X} may not stand there: it cannot be seen, or is a control character."
    if not any(_shows(one) for one in text):
        return "Nothing in it can be seen."
    return None


def without_hidden(text: str) -> str:
    """The text without what may not stand in it; "" if nothing is left that can be seen."""
    before = None
    text = "".join(one for one in text if not _HIDDEN.match(one) or _PERHAPS.match(one))
    # What stands beside something that went may have lost its meaning with it.
    while text != before:
        before = text
        text = "".join(one for at, one in enumerate(text) if not _HIDDEN.match(one) or _spells(text, at))
        while _is_mark(text[:1]):
            text = text[1:]
    return text if any(_shows(one) for one in text) else ""


def _shows(one: str) -> bool:
    return unicodedata.category(one)[0] not in "MZ" and not _HIDDEN.match(one)


def _is_mark(one: str) -> bool:
    return bool(one) and unicodedata.category(one)[0] == "M"


def _spells(text: str, at: int) -> bool:
    """Whether a character that shows nothing by itself has a meaning in its place."""
    one, before, after = text[at], text[max(0, at - 1) : at], text[at + 1 : at + 2]
    if one == ZWNJ:
        return _is_virama(before) or _between_joining_letters(text, at)
    if one == ZWJ:
        # Behind the letter in Bengali and Kannada, where the next one would else take another form.
        return _is_virama(before) or (_is_letter(before) and _is_virama(after)) or _between_pictographs(text, at)
    if one in (TEXT_STYLE, EMOJI_STYLE):
        return bool(_PICTOGRAPH.match(before)) or (before in KEYS and after == KEYCAP)
    if _IDEOGRAPH_SELECTOR.match(one):
        return bool(_IDEOGRAPH.match(before))
    if _MONGOLIAN_SELECTOR.match(one):
        return bool(_MONGOLIAN.match(before))
    if one == MONGOLIAN_VOWEL_SEPARATOR:
        return bool(_MONGOLIAN.match(before) and _MONGOLIAN.match(after))
    return any(flag.start() < at < flag.end() for flag in _FLAG.finditer(text, max(0, at - NEAR)))


def _is_virama(one: str) -> bool:
    return bool(one) and unicodedata.combining(one) == VIRAMA


def _is_letter(one: str) -> bool:
    return bool(one) and unicodedata.category(one)[0] == "L"


def _between_joining_letters(text: str, at: int) -> bool:
    """RFC 5892, A.1, by the scripts whose letters join."""
    left = [one for one in text[max(0, at - NEAR) : at] if not _is_mark(one)]
    right = [one for one in text[at + 1 : at + NEAR] if not _is_mark(one)]
    return bool(left and right) and all(_JOINING.match(one) and _is_letter(one) for one in (left[-1], right[0]))


def _between_pictographs(text: str, at: int) -> bool:
    """UTS 51, emoji ZWJ sequences: each part with its style and its skin tone."""
    left = _STYLES.sub("", text[max(0, at - NEAR) : at])
    return bool(_PICTOGRAPH.match(left[-1:]) and _PICTOGRAPH.match(text[at + 1 : at + 2]))
