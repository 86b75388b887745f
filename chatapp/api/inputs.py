"""What a request brings: its JSON body and its query, checked before anything is done."""

from collections.abc import Callable
from typing import Any
from typing import TypeVar

from flask import current_app
from flask import request
from marshmallow import Schema

from chatapp import wire
from chatapp.deadline import BODY_MAX_BYTES
from chatapp.errors import InvalidCursor
from chatapp.errors import InvalidJson
from chatapp.errors import InvalidParameter
from chatapp.errors import LengthRequired
from chatapp.errors import TooLarge
from chatapp.errors import UnsupportedMediaType
from chatapp.event import Cursor
from chatapp.schemas import load

View = TypeVar("View", bound=Callable[..., Any])

REQUEST_MAX_BYTES = 64 * 1024
BATCH_MAX_BYTES = BODY_MAX_BYTES
# Old browsers need a changing parameter against their caches.
CACHE_BUSTER = "_"
VALUE_SHOWN_MAX = 40


def query_parameters(*names: str) -> Callable[[View], View]:
    """Name the query parameters that a view takes; all others are refused."""

    def mark(view: View) -> View:
        view.query_parameters = frozenset(names)  # type: ignore[attr-defined]
        return view

    return mark


def refuse_unknown_parameters() -> None:
    """A typo must not pass silently. Raises InvalidParameter."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or request.endpoint == "static" or request.blueprint == "pages":
        return
    known: frozenset[str] = getattr(view, "query_parameters", frozenset())
    for name in request.args:
        if name not in known and name != CACHE_BUSTER:
            raise InvalidParameter(f"Unknown query parameter: {_shown(name)}.")


def document(schema: Schema, max_bytes: int = REQUEST_MAX_BYTES) -> Any:
    """The body as the schema has it.

    Raises LengthRequired, TooLarge, UnsupportedMediaType, InvalidJson, InvalidMessage.
    """
    return load(schema, raw_document(max_bytes))


def raw_document(max_bytes: int = REQUEST_MAX_BYTES) -> Any:
    """The body as JSON has it."""
    if "Transfer-Encoding" in request.headers or request.content_length is None:
        raise LengthRequired
    if request.content_length > max_bytes:
        raise TooLarge(f"At most {max_bytes // 1024} KiB.")
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return wire.loads(request.get_data(cache=False))
    except wire.NotJson as error:
        raise InvalidJson(f"Not valid JSON: {error}.") from None


def text_parameter(name: str) -> str | None:
    """A parameter that stands at most once. Raises InvalidParameter."""
    values = request.args.getlist(name)
    if len(values) > 1:
        raise InvalidParameter(f"{name}: given more than once.")
    return values[0] if values else None


def number_parameter(name: str, default: int, least: int, most: int) -> int:
    """Raises InvalidParameter."""
    value = text_parameter(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
        raise InvalidParameter(f"{name}: a whole number from {least} to {most}.")
    return int(value)


def cursor_parameter(name: str) -> Cursor | None:
    """Raises InvalidCursor."""
    value = text_parameter(name)
    return None if value is None else parse_cursor(value)


def parse_cursor(value: str) -> Cursor:
    """Raises InvalidCursor."""
    try:
        return Cursor.parse(value)
    except ValueError:
        raise InvalidCursor(f"Not a cursor: {_shown(value)}.") from None


def _shown(value: str) -> str:
    """A value from outside, short and printable, to stand in an answer."""
    return "".join(one if one.isprintable() else "?" for one in value[:VALUE_SHOWN_MAX])
