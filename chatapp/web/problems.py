"""Errors as answers: problem+json (RFC 9457), for Flask and without it."""

import logging
import math
from collections.abc import Callable
from http import HTTPStatus

from flask import Flask
from flask import Response
from flask import request
from werkzeug.exceptions import HTTPException

from chatapp import metrics
from chatapp.errors import BadRequest
from chatapp.errors import ChatError
from chatapp.errors import Forbidden
from chatapp.errors import Internal
from chatapp.errors import LengthRequired
from chatapp.errors import MethodNotAllowed
from chatapp.errors import NotFound
from chatapp.errors import RateLimited
from chatapp.errors import TooLarge
from chatapp.errors import Unauthenticated
from chatapp.errors import UnsupportedMediaType
from chatapp.web.answers import Answer
from chatapp.web.shown import shown

log = logging.getLogger(__name__)

# How an error looks at the address of the request, where that is not for programs.
Page = Callable[[ChatError], Response | None]

_BY_STATUS: dict[int, type[ChatError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    411: LengthRequired,
    413: TooLarge,
    415: UnsupportedMediaType,
}


def problem(error: ChatError) -> Answer:
    """The error as an HTTP answer, with Retry-After where there is something to wait for."""
    metrics.refusals.labels(error.code).inc()
    answer = Answer.json(error.problem(error.local_id), error.status, "application/problem+json")
    if isinstance(error, RateLimited):
        answer.headers += error.fields
    if error.retry_after_s is not None:
        answer.headers.append(("Retry-After", str(max(1, math.ceil(error.retry_after_s)))))
    if isinstance(error, Unauthenticated):
        answer.headers.append(("WWW-Authenticate", "Bearer"))
    return answer


def answered(ask: Callable[[], Answer], method: str, path: str) -> Answer:
    """What `ask` answers, or the problem that it raises. A defect is logged and does not leave the service."""
    try:
        return ask()
    except Exception as error:
        return problem(_known(error, method, path))


def register(app: Flask, page: Page) -> None:
    """Make every error of the application a problem document, but where there is a page for it."""

    def said(error: ChatError) -> Response:
        return page(error) or problem(error).response()

    def refused(error: Exception) -> Response:
        return said(_known(error, request.method, request.path))

    def refused_by_framework(error: HTTPException) -> Response:
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        if status < HTTPStatus.BAD_REQUEST:
            return Response(error.get_body(), status, error.get_headers())
        response = said(_BY_STATUS.get(status, Internal if status >= 500 else BadRequest)())
        allow = dict(error.get_headers()).get("Allow")
        if allow:
            response.headers["Allow"] = allow
        return response

    app.register_error_handler(Exception, refused)
    app.register_error_handler(HTTPException, refused_by_framework)


def _known(error: Exception, method: str, path: str) -> ChatError:
    """An error of the contract: itself, or `Internal` for a defect."""
    if isinstance(error, ChatError):
        return error
    log.error("%s %s failed", shown(method), shown(path), exc_info=error)
    return Internal()
