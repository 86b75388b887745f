"""`Direct`: the three addresses that carry nearly all requests are answered without Flask, which costs as much as
their work. What is out of the ordinary there, and every other address, goes the way through Flask, by the same code.
"""

import logging
import re
from collections.abc import Callable
from collections.abc import Iterable
from functools import partial
from typing import Any

from chatapp.answer import Answer
from chatapp.api import events
from chatapp.api import messages
from chatapp.errors import ChatError
from chatapp.errors import Internal
from chatapp.errors import problem_answer
from chatapp.services import Services

log = logging.getLogger(__name__)

Handler = Callable[[Services, dict[str, Any]], Answer]

RECEIVE: dict[str, Handler] = {"/api/v1/events/stream": events.stream, "/api/v1/events/poll": events.poll}
SEND = re.compile(r"/api/v1/rooms/([a-z0-9-]+)/messages", re.ASCII)


def handler(method: str, path: str) -> Handler | None:
    """Who answers there, if this address is one of the three."""
    if method == "GET":
        return RECEIVE.get(path)
    found = SEND.fullmatch(path) if method == "POST" else None
    return partial(messages.send, room=found[1]) if found else None


class Direct:
    """Around Flask."""

    def __init__(self, app: Callable[..., Iterable[bytes]], parts: Services) -> None:
        self._app = app
        self._parts = parts

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Flask-CORS has the last word on other origins.
        foreign = self._parts.config.origins and "HTTP_ORIGIN" in environ
        handle = None if foreign else handler(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if handle is None:
            return self._app(environ, start_response)
        try:
            answer = handle(self._parts, environ)
        except ChatError as error:
            answer = problem_answer(error)
        except Exception as error:
            log.error("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"], exc_info=error)
            answer = problem_answer(Internal())
        return answer(environ, start_response)
