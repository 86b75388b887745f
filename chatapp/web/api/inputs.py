"""What a request brings: its JSON body and its query, checked before anything is done."""

from collections.abc import Callable
from collections.abc import Container
from typing import Any
from typing import TypeVar
from urllib.parse import parse_qsl

from flask import current_app
from flask import request
from marshmallow import Schema

from chatapp.errors import InvalidCursor
from chatapp.errors import InvalidJson
from chatapp.errors import InvalidParameter
from chatapp.errors import LengthRequired
from chatapp.errors import TooLarge
from chatapp.errors import UnsupportedMediaType
from chatapp.web.auth import media_type
from chatapp.web.deadline import REQUEST_MAX_BYTES
from chatapp.web.documents.parameter import Parameter
from chatapp.wire import Cursor
from chatapp.wire import codec
from chatapp.wire import schemas

View = TypeVar("View", bound=Callable[..., Any])

# Old browsers need a changing parameter against their caches.
CACHE_BUSTER = "_"
VALUE_SHOWN_MAX = 40


def query_parameters(**parameters: Parameter) -> Callable[[View], View]:
    """The query parameters that a view takes; all others are refused."""

    def mark(view: View) -> View:
        view.query_parameters = parameters  # type: ignore[attr-defined]
        return view

    return mark


def refuse_unknown_parameters() -> None:
    """A typo must not pass silently. Raises InvalidParameter."""
    view = current_app.view_functions.get(request.endpoint or "")
    # Probes and caches put into an address what they like.
    if (
        view is None
        or request.endpoint == "static"
        or request.blueprint in ("pages", "health", "lite", "docs", "metrics")
    ):
        return
    Query(request.environ).refuse_unknown(getattr(view, "query_parameters", ()))


def document(schema: Schema, max_bytes: int = REQUEST_MAX_BYTES) -> Any:
    """The body as the schema has it.

    Raises LengthRequired, TooLarge, UnsupportedMediaType, InvalidJson, InvalidMessage.
    """
    return schemas.load(schema, raw_document(request.environ, max_bytes))


def raw_document(environ: dict[str, Any], max_bytes: int = REQUEST_MAX_BYTES) -> Any:
    """The body as JSON has it."""
    length = environ.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in environ or not (length.isascii() and length.isdigit()):
        raise LengthRequired
    if int(length) > max_bytes:
        raise TooLarge(f"At most {max_bytes // 1024} KiB.")
    if media_type(environ) != "application/json":
        raise UnsupportedMediaType
    try:
        return codec.loads(environ["wsgi.input"].read(int(length)))
    except codec.NotJson as error:
        raise InvalidJson(f"Not valid JSON: {error}.") from None


class Query:
    """The parameters of an address. Each method raises InvalidParameter or InvalidCursor."""

    __slots__ = ("_values",)

    def __init__(self, environ: dict[str, Any]) -> None:
        self._values: dict[str, list[str]] = {}
        text = environ.get("QUERY_STRING") or ""
        if "%" in text or "+" in text:
            pairs = parse_qsl(text, keep_blank_values=True)
        else:
            # Nothing is encoded: the parts as they stand.
            pairs = [part.partition("=")[::2] for part in text.split("&") if part]
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def refuse_unknown(self, known: Container[str]) -> None:
        """A typo must not pass silently."""
        for name in self._values:
            if name not in known and name != CACHE_BUSTER:
                raise InvalidParameter(f"Unknown query parameter: {_shown(name)}.")

    def text(self, name: str) -> str | None:
        """A parameter that may be given at most once."""
        values = self._values.get(name, ())
        if len(values) > 1:
            raise InvalidParameter(f"{name}: given more than once.")
        return values[0] if values else None

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
            raise InvalidParameter(f"{name}: a whole number from {least} to {most}.")
        return int(value)

    def flag(self, name: str) -> bool:
        value = self.text(name)
        if value not in (None, "true", "false"):
            raise InvalidParameter(f"{name}: either true or false.")
        return value == "true"

    def cursor(self, name: str) -> Cursor | None:
        value = self.text(name)
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
