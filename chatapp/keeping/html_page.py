"""A room as one page to read: no scripts, nothing loaded from anywhere, light and dark as the reader's machine is."""

from collections.abc import Iterable
from collections.abc import Iterator
from html import escape
from typing import Any

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ max-width: 44rem; margin: 2rem auto; padding: 0 1rem; background: Canvas; color: CanvasText; }}
h2 {{ font-size: 1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid GrayText; }}
article {{ margin: .5rem 0; overflow-wrap: anywhere; }}
p {{ margin: 0; white-space: pre-wrap; }}
time, i {{ color: GrayText; font-size: .85rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
"""
TAIL = "</body>\n</html>\n"


def page(title: str, documents: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The page in parts. Moments are in UTC."""
    yield HEAD.format(title=escape(title))
    day = ""
    for document in documents:
        date, _, rest = document["createdAt"].partition("T")
        if date != day:
            day = date
            yield f"<h2>{escape(day)}</h2>\n"
        yield _article(document, rest[:5])
    yield TAIL


def _article(document: dict[str, Any], minute: str) -> str:
    name = escape(document["sender"]["name"])
    moment = f'<time datetime="{escape(document["createdAt"])}">{escape(minute)}</time>'
    if document["deletedAt"] is not None:
        said = "<p><i>withdrawn</i></p>"
    else:
        edited = " <i>edited</i>" if document["editedAt"] is not None else ""
        said = f"<p>{escape(document['body'])}{edited}</p>"
    return f"<article><b>{name}</b> {moment}\n{said}</article>\n"
