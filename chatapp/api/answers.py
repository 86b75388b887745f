"""A JSON answer: never kept by a cache, because every answer belongs to one user."""

from typing import Any

from flask import Response

from chatapp import wire


def answer(document: Any, status: int = 200) -> Response:
    response = Response(wire.dumps(document), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
