"""What is written and what is shown: a text as it is sent, and a body as HTML. Pure."""

import re
from urllib.parse import urlsplit

from markupsafe import Markup
from markupsafe import escape

# As the page with scripts does it (static/js/view/text.js): what the service refuses and nobody sees is left out.
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
REFUSED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
EMPTY_LINES_BEFORE = re.compile(r"(?:[^\S\n]*\n)+")

# No link goes on behind white space, quotes, what cannot be seen, and the punctuation of languages without spaces.
LINK = re.compile(
    r'https?://[^\s<>"`\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069'
    r"。，、；：！？（）【】「」『』《》〈〉“”«»؟،؛]+",
    re.IGNORECASE,
)
# Usually the sentence's, not the address's.
TRAILING = ".,:;!?'’…*_~|-"
OPENERS = {")": "(", "]": "[", "}": "{"}
# Around one address; each is counted anew.
MOST_BRACKETS = 20


def sendable(text: str) -> str:
    """What is sent of what stood in a form, whose line breaks are CR LF: the same text for the same form."""
    clean = REFUSED.sub("", LINE_BREAKS.sub("\n", TERMINAL_CODES.sub("", text)))
    before = EMPTY_LINES_BEFORE.match(clean)
    return clean[before.end() if before else 0 :].rstrip()


def shown(body: str) -> Markup:
    """A body as HTML: text, links to the web, and line breaks."""
    parts: list[Markup] = []
    done = 0
    for found in LINK.finditer(body):
        link = _trimmed(found[0])
        if _has_host(link):
            parts += (_text(body[done : found.start()]), _link(link))
            done = found.start() + len(link)
    return Markup().join([*parts, _text(body[done:])])


def _text(text: str) -> Markup:
    return Markup("<br>").join(text.split("\n"))


def _link(address: str) -> Markup:
    """In a window of its own: within the log's frame nothing else is shown, and a text that is being typed stays."""
    shown = escape(address)
    return Markup('<a href="{0}" target="_blank" rel="noopener noreferrer nofollow">{0}</a>').format(shown)


def _trimmed(link: str) -> str:
    """Without the punctuation of the sentence around it: a bracket belongs to the address that opened it."""
    bare = link.rstrip(TRAILING)
    for _ in range(MOST_BRACKETS):
        opener = OPENERS.get(bare[-1:])
        if opener is None or bare.count(opener) >= bare.count(bare[-1]):
            break
        bare = bare[:-1].rstrip(TRAILING)
    return bare


def _has_host(link: str) -> bool:
    try:
        return bool(urlsplit(link).hostname)
    except ValueError:
        return False
