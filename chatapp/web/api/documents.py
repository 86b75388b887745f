"""`/openapi.json` and `/asyncapi.json`: what this service takes, gives and says. Nobody need sign in for them."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint
from flask import Flask
from flask import Request
from flask import Response
from flask import current_app
from flask import request

from chatapp.web.answers import Answer
from chatapp.web.documents.call import Call
from chatapp.web.documents.call import Given
from chatapp.web.documents.call import described
from chatapp.web.documents.documents import Documents
from chatapp.web.documents.parameter import IF_NONE_MATCH
from chatapp.wire import answers

blueprint = Blueprint("documents", __name__)

SAME = Given(fields=("ETag",))
HEADERS = {"If-None-Match": IF_NONE_MATCH}


def register(app: Flask) -> None:
    """Before the first request asks for it."""
    app.extensions["documents"] = Documents(app)


def documents() -> Documents:
    found: Documents = current_app.extensions["documents"]
    return found


@blueprint.get("/openapi.json")
@described(
    Call("getOpenapi", {200: Given(answers.OpenapiSchema, ("ETag",)), 304: SAME}, session=False, headers=HEADERS)
)
def openapi() -> Response:
    """The calls of this API, as OpenAPI."""
    return _kept(documents().openapi)


@blueprint.get("/asyncapi.json")
@described(
    Call("getAsyncapi", {200: Given(answers.AsyncapiSchema, ("ETag",)), 304: SAME}, session=False, headers=HEADERS)
)
def asyncapi() -> Response:
    """The events of this API, as AsyncAPI."""
    return _kept(documents().asyncapi)


def _kept(document: Callable[[Request], dict[str, Any]]) -> Response:
    response = Answer.json(document(request)).response()
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
