"""`Call`: what a view takes and gives besides what its route, its signature and its docstring say."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import TypeVar

from marshmallow import Schema

from chatapp.errors import ChatError
from chatapp.web.documents.parameter import Parameter

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Given:
    """A good answer. `fields` are the header fields that it always has; without a schema it has no JSON.

    `each` stands for an array of any of these; `others` has what else it may be, as JSON Schema by media type.
    """

    schema: type[Schema] | None = None
    fields: tuple[str, ...] = ()
    media_type: str = "application/json"
    each: tuple[type[Schema], ...] = ()
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """`name` is the operation's, for generated clients. `takes` are the bodies, any one of them.

    `raises` are the errors that not every call of its kind has. `leads_to` are the operations that take a part of the
    answer: their name → the parameter, and where its value stands in the answer.
    """

    name: str
    gives: Mapping[int, Given]
    takes: tuple[type[Schema], ...] = ()
    raises: tuple[type[ChatError], ...] = ()
    headers: Mapping[str, Parameter] = field(default_factory=dict)
    # Header fields of all answers but those to somebody unknown.
    fields: tuple[str, ...] = ()
    session: bool = True
    example: Any = None
    leads_to: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def described(call: Call) -> Callable[[View], View]:
    """Put the description beside the view."""

    def mark(view: View) -> View:
        view.call = call  # type: ignore[attr-defined]
        return view

    return mark


def call_of(view: Callable[..., Any]) -> Call:
    """Raises LookupError for a view that nobody described."""
    found = getattr(view, "call", None)
    if not isinstance(found, Call) or not view.__doc__:
        raise LookupError(f"{view.__module__}.{view.__name__} has no description, or no docstring")
    return found
