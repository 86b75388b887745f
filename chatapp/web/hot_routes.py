"""`HotRoutes`: the few addresses that carry nearly all requests, answered without Flask.

Flask costs as much as their own work. Every other address, and what is out of the ordinary at these, goes through Flask
and ends in the same code.
"""

import re
from collections.abc import Callable
from collections.abc import Iterable
from functools import partial
from typing import Any

from chatapp.services import Services
from chatapp.web.answers import Answer
from chatapp.web.api import events
from chatapp.web.api import messages
from chatapp.web.problems import answered
from chatapp.web.requests import ROUTE

Handler = Callable[[Services, dict[str, Any]], Answer]

RECEIVE: dict[str, Handler] = {"/api/v1/events/stream": events.stream, "/api/v1/events/poll": events.poll}
SEND = re.compile(r"/api/v1/rooms/([a-z0-9-]+)/messages", re.ASCII)
APPEND = re.compile(r"/api/v1/messages/([a-z0-9-]+)/append", re.ASCII)

SEND_ROUTE, APPEND_ROUTE = "/api/v1/rooms/{room}/messages", "/api/v1/messages/{message_id}/append"

# In the environ: the handler, where the server has looked it up already.
HANDLER = "chatapp.handler"


def handler(method: str, path: str) -> Handler | None:
    """Who answers there, if this address is one of these."""
    if method == "GET":
        return RECEIVE.get(path)
    if method != "POST":
        return None
    if found := SEND.fullmatch(path):
        return partial(messages.send, room=found[1])
    if found := APPEND.fullmatch(path):
        return partial(messages.append, message_id=found[1])
    return None


def _route(path: str) -> str:
    """The address of one of these as Flask has it."""
    if path in RECEIVE:
        return path
    return APPEND_ROUTE if path.endswith("/append") else SEND_ROUTE


class HotRoutes:
    """WSGI middleware around Flask."""

    def __init__(self, app: Callable[..., Iterable[bytes]], parts: Services) -> None:
        self._app = app
        self._parts = parts

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        handle = environ.get(HANDLER) or self._handler(environ)
        if handle is None:
            return self._app(environ, start_response)
        environ[ROUTE] = _route(environ["PATH_INFO"])
        answer = answered(
            lambda: handle(self._parts, environ), method=environ["REQUEST_METHOD"], path=environ["PATH_INFO"]
        )
        return answer(environ, start_response)

    def _handler(self, environ: dict[str, Any]) -> Handler | None:
        # Flask-CORS has the last word on other origins.
        if self._parts.config.origins and "HTTP_ORIGIN" in environ:
            return None
        return handler(environ["REQUEST_METHOD"], environ["PATH_INFO"])
