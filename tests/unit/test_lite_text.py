"""Texts of the pages without scripts: what is sent of a form, and bodies as HTML."""

import re

import pytest

from chatapp.web.lite import text


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("one\r\ntwo\r\n", "one\ntwo"),
        ("one\rtwo\x0bthree\x0cfour\x85five\u2028six\u2029seven", "one\ntwo\nthree\nfour\nfive\nsix\nseven"),
        (" \n\t\n  indented", "  indented"),
        ("\x1b[1;31mred\x1b[0m\x07", "red"),
        ("half \ud83d a pair", "half  a pair"),
        ("a\ttab and \u202e stay", "a\ttab and \u202e stay"),
        (" \n ", ""),
        ("", ""),
    ],
)
def test_what_is_sent_of_what_was_written(written: str, sent: str) -> None:
    assert text.sendable(written) == sent
    # The form that shows it again sends the same.
    assert text.sendable(sent.replace("\n", "\r\n")) == sent


@pytest.mark.parametrize(
    ("body", "links"),
    [
        ("see https://a.example.", ["https://a.example"]),
        ("(http://a.example/b_(c))", ["http://a.example/b_(c)"]),
        ("<https://a.example/?q=1&r=2>", ["https://a.example/?q=1&r=2"]),
        ("https://a.example/。後", ["https://a.example/"]),
        ("HTTPS://A.example/X, http://b.example:8080/y!", ["HTTPS://A.example/X", "http://b.example:8080/y"]),
        ("https://a.example/\u202egnp.exe", ["https://a.example/"]),
        ('https://a.example/"onclick=alert(1)', ["https://a.example/"]),
        ("https:// http://[ javascript:alert(1) ftp://a.example data:text/html,x //a.example", []),
    ],
)
def test_which_links_there_are(body: str, links: list[str]) -> None:
    shown = text.shown(body)
    found = [one.replace("&amp;", "&") for one in re.findall(r'<a href="([^"]*)"', shown)]
    assert found == links
    # Nothing of the text is lost, and nothing of it is markup.
    assert shown.replace("<br>", "\n").striptags() == " ".join(body.split())
    assert "&" not in re.sub("&(amp|lt|gt|#34|#39);", "", shown)
    assert set(re.findall(r"<(/?\w+)", shown)) <= {"a", "/a", "br"}


def test_hostile_lengths_take_no_time() -> None:
    for body in ("https://a.example/" + ")" * 32_000, "(" * 32_000, "http://" * 4_000, "\x1b[" + "0" * 32_000):
        assert text.shown(body)
        assert text.sendable(body) is not None
