"""`CrossOrigin`: the pages of `CHATAPP_ORIGINS` may read every answer of the API, also one that Flask never saw."""

import re
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from flask import Flask
from flask_cors import CORS

from chatapp.origin import canonical
from chatapp.wire import durable

API = "/api/"
HEADERS = ["Authorization", "Chat-User", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID"]
EXPOSED = [
    *("Retry-After", "RateLimit", "RateLimit-Policy", "Idempotent-Replayed", "ETag", "X-Request-ID"),
    *(durable.NEXT_OFFSET, durable.UP_TO_DATE, durable.CURSOR, durable.CLOSED),
]
ALLOWED = "Access-Control-Allow-Origin"


def register(app: Flask, origins: tuple[str, ...]) -> None:
    """What Flask answers, preflights among it."""
    CORS(
        app,
        # As patterns: Flask-CORS takes the brackets of an IPv6 address for one.
        resources={
            rf"{API}*": {"origins": [re.compile(re.escape(origin) + r"\Z", re.IGNORECASE) for origin in origins]}
        },
        supports_credentials=True,
        allow_headers=HEADERS,
        expose_headers=EXPOSED,
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        max_age=600,
    )


class CrossOrigin:
    """WSGI middleware around all that answers without Flask, such as when there is no answer in time."""

    def __init__(self, app: Callable[..., Iterable[bytes]], origins: tuple[str, ...]) -> None:
        self._app = app
        self._origins = origins

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        if origin is None or not environ["PATH_INFO"].startswith(API) or canonical(origin) not in self._origins:
            return self._app(environ, start_response)

        def allow(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if not any(name == ALLOWED for name, _ in headers):
                headers = [*headers, *_allowing(origin)]
            return start_response(status, headers, exc_info)

        return self._app(environ, allow)


def _allowing(origin: str) -> list[tuple[str, str]]:
    return [
        (ALLOWED, origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", ", ".join(EXPOSED)),
        ("Vary", "Origin"),
    ]
