"""What went wrong, as a page with a way on."""

from collections.abc import Callable

from flask import Response
from flask import g
from flask import request
from markupsafe import escape

from chatapp import metrics
from chatapp.errors import ChatError
from chatapp.errors import Unauthenticated
from chatapp.web.answers import NOT_KEPT
from chatapp.web.answers import Answer
from chatapp.web.lite import visitor
from chatapp.web.lite import words
from chatapp.web.lite.page import is_here
from chatapp.web.lite.page import page
from chatapp.web.lite.session import sign_in_page

# Where no template can be asked for: whoever got here waited too long for something.
BARE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>Not done – Chat</title></head>
<body><main><h1>Not done</h1><p>{said}</p>
<p>Go back in your browser: what you have written still stands there. Sent again, it is not sent twice.</p>
</main></body></html>
"""


def error_page(error: ChatError) -> Response | None:
    """The error as the page that was asked for says it; None at all other addresses."""
    if not is_here(request.path):
        return None
    metrics.refusals.labels(error.code).inc()
    refused: Callable[[ChatError], Response] = g.get("refused", simple_page)
    return refused(error)


def simple_page(error: ChatError) -> Response:
    """What was not done, and where to go from here."""
    if isinstance(error, Unauthenticated):
        return sign_in_page(error)
    return page("error", error, said=words.of_page(error), who=visitor.known())


def bare_page(error: ChatError) -> Answer:
    """The same without Flask."""
    metrics.refusals.labels(error.code).inc()
    body = BARE.format(said=escape(words.of_page(error)))
    answer = Answer(error.status, body.encode(), (("Content-Type", "text/html; charset=utf-8"), NOT_KEPT))
    if error.retry_after_s is not None:
        answer.headers.append(("Retry-After", "1"))
    return answer
