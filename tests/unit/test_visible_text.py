"""Names and titles: what spells them right is taken, what hides in them is not."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from chatapp.wire import schemas
from chatapp.wire import unicode_ranges
from chatapp.wire import visible_text

RIGHT = {
    "plain": "Ada Lovelace",
    "accents": "José Zoë",
    "decomposed": "Jose\u0301",
    "apostrophe": "O’Brien",
    "Hebrew points": "שָׁלוֹם א ב",
    "Arabic marks": "مُحَمَّد",
    "Arabic number sign": "\u0600١٢",
    "Persian": "می\u200cخواهم",
    "Persian with marks": "مِی\u200cخواهم",
    "Sinhala": "ශ්\u200dරී ලංකා",
    "Malayalam chillu": "അവന്\u200d",
    "Hindi half form": "क्\u200dष",
    "Hindi apart": "क्\u200cष",
    "Bengali": "র\u200d্যাব",
    "Hindi": "अनिल",
    "Tamil": "தமிழ்",
    "Thai": "สมชาย",
    "Khmer": "សុខ",
    "Korean": "김철수",
    "Chinese": "李雷",
    "a Chinese variant": "葛\U000e0100城",
    "a standardised variant": "神\ufe00",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ\u180e\u1820",
    "Mongolian variant": "\u1820\u180b",
    "profession": "👩\u200d💻 Kim",
    "family": "Team 👨\u200d👩\u200d👧",
    "tones": "🧑🏽\u200d❤\ufe0f\u200d🧑🏿",
    "eye": "👁\ufe0f\u200d🗨\ufe0f",
    "pirates": "🏴\u200d☠\ufe0f",
    "rainbow": "🏳\ufe0f\u200d🌈",
    "heart": "I ❤\ufe0f ☎\ufe0e",
    "keycap": "1\ufe0f\u20e3 #\ufe0f\u20e3",
    "country": "Zoë 🇩🇪",
    "part of a country": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f Clan",
    "new emoji": "\U0001fae8",
    "lookalikes": "Аdа",
    "wide": "山田　太郎",
}
BLANK = "\u3164\uffa0\u2800\u115f\u1160\u034f\u17b4\u180e\u200b\u2060\ufeff\xad\U0001d159"
HIDDEN = "\u200b\u200c\u200d\u200e\u202e\u2066\u2061\u206a\u00ad\ufeff"
BEHIND = "\u3164\u2800\ufe0f\ufe0e\u180b\u180e\U000e0100\U000e0041\ufff9"
WRONG = {
    **{
        f"blank {ord(one):04X}": one
        for one in "\u3164\uffa0\u2800\u115f\u1160\u034f\u17b4\u180e\u200b\u2060\ufeff\xad\U0001d159"
    },
    **{
        f"hidden in Ada, {ord(one):04X}": f"A{one}da"
        for one in "\u200b\u200c\u200d\u200e\u202e\u2066\u2061\u206a\u00ad\ufeff"
    },
    **{
        f"behind Ada, {ord(one):04X}": f"Ada{one}"
        for one in "\u3164\u2800\ufe0f\ufe0e\u180b\u180e\U000e0100\U000e0041\ufff9"
    },
    "direction": "\u061cAda",
    "joiner first": "\u200dAda",
    "joiner last": "👩\u200d",
    "joiner between letters": "Ad\u200ca",
    "joiner between an emoji and a letter": "👩\u200da",
    "two joiners": "می\u200c\u200cخواهم",
    "joiner at the end of a word": "می\u200c خ",
    "two selectors": "❤\ufe0f\ufe0f",
    "selector of a digit": "1\ufe0f",
    "selector of no emoji": "❶\ufe0f",
    "tags without a flag": "Ada\U000e0067\U000e0062\U000e007f",
    "tags without an end": "🏴\U000e0067\U000e0062\U000e0065\U000e006e",
    "a letter in tags": "🏴\U000e0068\U000e0065\U000e006c\U000e006c\U000e006f\U000e0068\U000e007f",
    "NUL": "a\0b",
    "two lines": "a\nb",
    "separator": "a\u2028b",
    "C1": "a\x85b",
    "surrogate": "a\ud800",
    "noncharacter": "a\uffff",
    "language tag": "a\U000e0001",
    "a mark alone": "\u0301",
    "a mark first": "\u0301Ada",
    "marks alone": "\u20e3\u0301",
    "shorthand control": "a\U0001bca0",
    "object": "\ufffc",
}


def title(text: str) -> str:
    return str(schemas.load(schemas.NewRoomSchema(), {"name": "x", "title": text})["title"])


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT.keys())
def test_what_spells_a_name_is_taken(text: str) -> None:
    assert title(text) == text
    assert schemas.host_name(text) == text
    assert schemas.clean_name(text) == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_what_hides_is_refused(text: str) -> None:
    fault = visible_text.fault(text)
    assert fault is not None
    assert fault.isascii()
    with pytest.raises(ValidationError):
        schemas.clean_name(text)
    dropped = schemas.host_name(text)
    assert dropped == "" or visible_text.fault(dropped) is None


def test_the_ignorable_are_those_of_unicode() -> None:
    """A sample of DerivedCoreProperties.txt, from both ends of its ranges, and what stands beside them."""
    ignorable = re.compile(f"[{unicode_ranges.IGNORABLE}]")
    for one in "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180f\u200b\u200f\u202a\u202e\u2060\u2065\u206f\u3164":
        assert ignorable.match(one)
    for one in "\ufe00\ufe0f\ufeff\uffa0\ufff0\ufff8\U0001bca0\U0001bca3\U0001d173\U0001d17a\U000e0000\U000e0fff":
        assert ignorable.match(one)
    for one in "\xac\u034e\u115e\u1161\u180a\u1810\u200a\u2010\u2029\u202f\u205f\u2070\ufe10\uffa1\ufff9\U000e1000":
        assert not ignorable.match(one)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("  A\ufb01n  ", "Afin"),
        ("\nAda\n", "Ada"),
        ("Foo\u2122\ufe0f", "FooTM"),
        ("Ada\u00a0", "Ada"),
        ("\u00a8Ada", "Ada"),
        ("①", "1"),
        ("x" * 40, "x" * 40),
        ("e\u0301" * 40, "é" * 40),
    ],
)
def test_a_guests_name_is_made_plain(raw: str, name: str) -> None:
    assert schemas.clean_name(raw) == name


@pytest.mark.parametrize("raw", ["", "   ", "\u00a8", "x" * 41, "\ufdfa" * 3, "x" * 100_000, "👩\u200d" * 50_000])
def test_a_name_has_1_to_40_characters(raw: str) -> None:
    with pytest.raises(ValidationError):
        schemas.clean_name(raw)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("\ufb01 ① Ａ ™", "\ufb01 ① Ａ ™"),
        ("山田　太郎", "山田　太郎"),
        (" A\u200bd\u202ea\n", "Ada"),
        ("\u0301\u3164Ada", "Ada"),
        ("👩\u200d\u200b💻", "👩\u200d💻"),
        ("क्\u200b\u200dष", "क्\u200dष"),
        ("x" * 39 + "👩\u200d💻", "x" * 39 + "👩"),
        ("x" * 38 + " 👩\u200d💻", "x" * 38 + " 👩"),
        ("y" * 38 + "👩\u200d💻", "y" * 38 + "👩"),
        ("\u2800\u3164", ""),
        ("\ud800", ""),
    ],
)
def test_a_hosts_name_keeps_its_spelling(given: str, name: str) -> None:
    assert schemas.host_name(given) == name


LETTERS = [*"aé क्षमیख1#👩💻❤☠🏽🏴葛神ᠮ\u3000", "\u0301", "\u20e3"]
JOINERS = [*"\u200c\u200d\ufe0e\ufe0f\ufe00\u180b\u180e\U000e0100\U000e0067\U000e007f"]
NEVER = ["\u3164", "\u200b", "\u202e", "\n", "\ud800"]
# NFKC makes something else of these.
UNSETTLED = ["\u00a8", "\u2122", "\ufdfa", "\ufb01"]
PIECES = st.sampled_from([*LETTERS, *JOINERS, *NEVER, *UNSETTLED])
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=30).map("".join)
SEEN_THROUGH = re.compile(f"[{unicode_ranges.IGNORABLE}{unicode_ranges.CONTROL}{unicode_ranges.BLANK}]")
# The allowed contexts once more, written the other way round: what is left when they are taken out hides nothing.
PICTOGRAPH = f"[{unicode_ranges.PICTOGRAPH}]"
CONTEXTS = re.compile(
    f"(?<=[0-9#*])[\ufe0e\ufe0f](?=\u20e3)|(?<={PICTOGRAPH})[\ufe0e\ufe0f]"
    f"|(?<={PICTOGRAPH})\u200d(?={PICTOGRAPH})|(?<={PICTOGRAPH}[\ufe0f{unicode_ranges.SKIN_TONE}])\u200d(?={PICTOGRAPH})"
    f"|(?<={PICTOGRAPH}\ufe0f[{unicode_ranges.SKIN_TONE}])\u200d(?={PICTOGRAPH})"
    f"|(?<={PICTOGRAPH}[{unicode_ranges.SKIN_TONE}]{{2}})\u200d(?={PICTOGRAPH})"
    f"|(?<=[{unicode_ranges.IDEOGRAPH}])[\ufe00-\ufe02\U000e0100-\U000e01ef]|(?<=[{unicode_ranges.MONGOLIAN}])[\u180b-\u180f]"
    "|\U0001f3f4[\U000e0030-\U000e007a]{3,5}\U000e007f|(?<=\u094d)[\u200c\u200d]|(?<=\\w)\u200d(?=\u094d)"
    f"|(?<=[\u0301{unicode_ranges.JOINING}])\u200c(?=[\u0301{unicode_ranges.JOINING}])"
)


def hides_nothing(text: str) -> bool:
    return SEEN_THROUGH.search(CONTEXTS.sub("", text)) is None


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_nothing_hides_in_what_is_taken(text: str) -> None:
    for taken in (text if visible_text.fault(text) is None else "", schemas.host_name(text)):
        # Many skin tones in a row are visible, and more than the contexts below look through.
        if not re.search(f"[{unicode_ranges.SKIN_TONE}]{{2}}|[{unicode_ranges.SKIN_TONE}\ufe0f]{{3}}", taken):
            assert hides_nothing(taken)


@settings(max_examples=500)
@given(TEXTS)
def test_what_was_made_plain_stays_so(text: str) -> None:
    host_name = schemas.host_name(text)
    assert schemas.host_name(host_name) == host_name
    assert host_name == "" or visible_text.fault(host_name) is None
    assert len(host_name) <= schemas.NAME_MAX_CODE_POINTS
    try:
        name = schemas.clean_name(text)
    except ValidationError:
        return
    assert schemas.clean_name(name) == name
    assert visible_text.fault(name) is None
    assert name == name.strip() == unicodedata.normalize("NFKC", name)
    assert 1 <= len(name) <= schemas.NAME_MAX_CODE_POINTS
