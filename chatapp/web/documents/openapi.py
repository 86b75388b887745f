"""The OpenAPI document: made of the routes that answer, what stands beside their views, and the schemas that check."""

import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from chatapp.errors import BadOrigin
from chatapp.errors import BadRequest
from chatapp.errors import ChatError
from chatapp.errors import Internal
from chatapp.errors import InvalidJson
from chatapp.errors import InvalidMessage
from chatapp.errors import LengthRequired
from chatapp.errors import NotFound
from chatapp.errors import RateLimited
from chatapp.errors import TooLarge
from chatapp.errors import Unauthenticated
from chatapp.errors import Unavailable
from chatapp.errors import UnsupportedMediaType
from chatapp.web.documents.call import Call
from chatapp.web.documents.call import Given
from chatapp.web.documents.call import call_of
from chatapp.web.documents.components import OPENAPI
from chatapp.web.documents.components import Components
from chatapp.web.documents.header_fields import HEADER_FIELDS
from chatapp.web.documents.header_fields import OF_STATUS
from chatapp.web.documents.parameter import IN_PATH
from chatapp.wire import answers
from chatapp.wire import schemas

ROOT = "/api/v1"
# What the server says before the service is asked.
TOO_LONG = {
    "description": "The address is longer than 8,190 bytes.",
    "content": {"text/html": {"schema": {"type": "string"}}},
}
# What a batch should hold, though it takes anything.
NAMED = (schemas.BatchItemSchema, schemas.GrowingBatchItemSchema)
PROBLEM_TYPE = "application/problem+json"
Refusals = dict[str, dict[str, Any]]
# Without those that Flask adds by itself.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

EVERY = (BadRequest, Internal, Unavailable)
OF_SESSION = (Unauthenticated, BadOrigin, RateLimited)
OF_BODY = (InvalidJson, LengthRequired, TooLarge, UnsupportedMediaType, InvalidMessage)

DESCRIPTION = """Real-time messaging over plain HTTP. The events of stream and poll are in the AsyncAPI document beside
this one.

Unknown fields and query parameters are refused, except the parameter `_`. A cursor is a position in the one event log:
keep the newest, do not look inside. A `localId` makes every repetition of a send safe. A request with the header
`Chat-User: <id, percent-encoded>` is answered by 401 if the session is somebody else's by now."""
LICENSE = {"name": "MIT", "identifier": "MIT"}
TAGS = {
    "session": "Who: sign in, sign out.",
    "rooms": "Rooms, and who belongs to them.",
    "messages": "Send, look up, edit, withdraw; histories.",
    "events": "Stream and long poll over one cursor.",
    "durable": "The same for clients of Durable Streams.",
    "documents": "What you read.",
}


def openapi(app: Flask) -> dict[str, Any]:
    """The document, without `servers`. Raises LookupError for a route of the API without a description."""
    components = Components()
    paths: dict[str, dict[str, Any]] = {}
    refusals: Refusals = {}
    for rule, method in routes(app):
        operation = _operation(rule, app.view_functions[rule.endpoint], components, refusals)
        paths.setdefault(path_of(rule), {})[method.lower()] = operation
    components.of(NAMED)
    return {
        "openapi": OPENAPI,
        "info": {"title": "chatapp", "version": "1", "description": DESCRIPTION, "license": LICENSE},
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components.document(),
            "responses": refusals,
            "headers": {name: one.document() for name, one in HEADER_FIELDS.items()},
            "securitySchemes": SECURITY,
        },
    }


SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The token of a sign-in, or a host's JWT."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "chatapp_session",
        "description": "What a browser has of a sign-in, with the service's port and path behind the name. Changes "
        "take `application/json`, also without a body, and an `Origin` that is known.",
    },
}


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every address of the API, with each of its methods."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(f"{ROOT}/"):
            for method in METHODS:
                if method in (rule.methods or ()):
                    yield rule, method


def path_of(rule: Rule) -> str:
    """The address as OpenAPI writes it, below `servers`."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: f"{{{_camel(found[1])}}}", rule.rule.removeprefix(ROOT))


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)


def _operation(rule: Rule, view: Callable[..., Any], components: Components, refusals: Refusals) -> dict[str, Any]:
    call = call_of(view)
    summary, _, description = cleandoc(view.__doc__ or "").partition("\n")
    operation: dict[str, Any] = {
        "operationId": call.name,
        "tags": [rule.endpoint.split(".")[1]],
        "summary": summary.removesuffix("."),
    }
    if description.strip():
        operation["description"] = description.strip()
    operation["parameters"] = [
        *(IN_PATH[name].document(_camel(name), "path") for name in sorted(rule.arguments)),
        *(one.document(name, "query") for name, one in getattr(view, "query_parameters", {}).items()),
        *(one.document(name, "header") for name, one in call.headers.items()),
    ]
    if call.takes:
        content = {"schema": components.of(call.takes)}
        if call.example is not None:
            content["example"] = call.example
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    operation["responses"] = {
        **{str(status): _good(status, given, call, components) for status, given in call.gives.items()},
        **_refusals(call, rule, components, refusals),
        **({"414": TOO_LONG} if operation["parameters"] else {}),
    }
    operation["security"] = [{"bearer": []}, {"cookie": []}] if call.session else []
    return operation


def _good(status: int, given: Given, call: Call, components: Components) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    content: dict[str, Any] = {}
    if given.schema is not None:
        content[given.media_type] = components.of([given.schema])
    if given.each:
        content[given.media_type] = {"type": "array", "items": components.of(given.each)}
    content |= given.others
    if content:
        answer["content"] = {media_type: {"schema": schema} for media_type, schema in content.items()}
    names = (*given.fields, *call.fields)
    if names:
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    if call.leads_to and status < HTTPStatus.MULTIPLE_CHOICES:
        answer["links"] = {
            name: {"operationId": name, "parameters": {parameter: f"$response.body#/{place}"}}
            for name, (parameter, place) in call.leads_to.items()
        }
    return answer


def _refusals(call: Call, rule: Rule, components: Components, refusals: Refusals) -> dict[str, Any]:
    """By status. Each that is said of several calls stands once among the components."""
    kinds: list[type[ChatError]] = [*EVERY, *call.raises]
    kinds += OF_SESSION if call.session else ()
    kinds += OF_BODY if call.takes else ()
    kinds += (NotFound,) if rule.arguments else ()
    by_status: dict[int, list[type[ChatError]]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    found = {}
    for status, of in sorted(by_status.items()):
        name = "-".join((str(status), *sorted({kind.code for kind in of})))
        refusals.setdefault(name, _refused(status, of, components))
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def _refused(status: int, kinds: list[type[ChatError]], components: Components) -> dict[str, Any]:
    codes = {kind.code: kind.title for kind in kinds}
    only: Mapping[str, Any] = {
        "type": "object",
        "properties": {"status": {"const": status}, "code": {"enum": sorted(codes)}},
    }
    fields = {name: {"$ref": f"#/components/headers/{name}"} for name in OF_STATUS.get(status, ())}
    return {
        "description": "; ".join(f"`{code}`: {title}" for code, title in codes.items()),
        "content": {PROBLEM_TYPE: {"schema": {"allOf": [components.of([answers.ProblemSchema]), only]}}},
        **({"headers": fields} if fields else {}),
    }
