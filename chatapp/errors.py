"""Every error that leaves the service, as its problem document has it (RFC 9457), and `RedisAway`, which never does.

ChatError
├── BadRequest            400
│   ├── InvalidJson           invalid_json
│   ├── InvalidCursor         invalid_cursor
│   └── InvalidParameter      invalid_parameter
├── Unauthenticated       401 unauthenticated
├── Forbidden             403 forbidden
│   └── BadOrigin             bad_origin
├── NotFound              404 not_found
├── MethodNotAllowed      405 method_not_allowed
├── RoomExists            409 room_exists
├── LengthRequired        411 length_required
├── TooLarge              413 too_large
├── UnsupportedMediaType  415 unsupported_media_type
├── InvalidMessage        422 invalid_message      (errors by field)
├── LocalIdReused         422 local_id_reused      (the stored message)
├── RateLimited           429 rate_limited         (retry_after_s)
├── TooManyConnections    429 too_many_connections
├── Internal              500 internal             (a defect: no detail on the wire)
└── Unavailable           503 unavailable          (outcome open: send again with the same localId)
"""

import math
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any


class ChatError(Exception):
    """An answer that is not a success. `detail` is for people; programs branch on `code`."""

    status = 500
    code = "internal"
    title = "Internal error"
    retryable = False
    # The localId of the send that was refused, where there was one.
    local_id: str | None = None

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: dict[str, Any] | None = None,
        retry_after_s: float | None = None,
        message: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.message = message

    def problem(self, local_id: str | None = None) -> dict[str, Any]:
        """The members of the problem document. Times in it are milliseconds."""
        document: dict[str, Any] = {
            "type": f"urn:chatapp:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "code": self.code,
            "retryable": self.retryable,
        }
        if self.errors is not None:
            document["errors"] = self.errors
        if self.message is not None:
            document["message"] = self.message
        if self.retry_after_s is not None:
            document["retryAfterMs"] = math.ceil(self.retry_after_s * 1000)
        if local_id is not None:
            document["localId"] = local_id
        return document


class BadRequest(ChatError):
    status = 400
    code = "invalid_parameter"
    title = "Bad request"


class InvalidJson(BadRequest):
    code = "invalid_json"
    title = "The body is not valid JSON"


class InvalidCursor(BadRequest):
    code = "invalid_cursor"
    title = "Not a cursor"


class InvalidParameter(BadRequest):
    title = "A query parameter is unknown or has a value that cannot be used"


class Unauthenticated(ChatError):
    status = 401
    code = "unauthenticated"
    title = "Sign in first"


class Forbidden(ChatError):
    status = 403
    code = "forbidden"
    title = "Not allowed"


class BadOrigin(Forbidden):
    code = "bad_origin"
    title = "The request does not come from a page of this site or of an allowed origin"


class NotFound(ChatError):
    status = 404
    code = "not_found"
    title = "There is nothing here, or nothing that you may see"


class MethodNotAllowed(ChatError):
    status = 405
    code = "method_not_allowed"
    title = "This address does not take that method"


class RoomExists(ChatError):
    status = 409
    code = "room_exists"
    title = "A room of that name exists"


class OutOfStep(ChatError):
    status = 409
    code = "out_of_step"
    title = "The message has another length, or says something else there"

    def __init__(self, *, length: int, growing: bool) -> None:
        super().__init__(f"It has {length} code points{'' if growing else ', and grows no more'}.")
        self.length = length
        self.growing = growing

    def problem(self, local_id: str | None = None) -> dict[str, Any]:
        return {**super().problem(local_id), "length": self.length, "growing": self.growing}


class LengthRequired(ChatError):
    status = 411
    code = "length_required"
    title = "A body needs a Content-Length"


class TooLarge(ChatError):
    status = 413
    code = "too_large"
    title = "The body is too large"


class UnsupportedMediaType(ChatError):
    status = 415
    code = "unsupported_media_type"
    title = "The body must be application/json"


class InvalidMessage(ChatError):
    status = 422
    code = "invalid_message"
    title = "A field is missing, unknown or has a value that cannot be used"


class LocalIdReused(ChatError):
    status = 422
    code = "local_id_reused"
    title = "This localId was used for another message"


class RateLimited(ChatError):
    """`fields` are header fields that say what is left of the rate, where the contract has them."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    retryable = True

    def __init__(
        self, detail: str | None = None, *, retry_after_s: float, fields: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.fields = fields


class TooManyConnections(ChatError):
    status = 429
    code = "too_many_connections"
    title = "Too many open streams and polls"
    retryable = True


class Internal(ChatError):
    retryable = True


class Unavailable(ChatError):
    status = 503
    code = "unavailable"
    title = "Temporarily unavailable: try again with the same localId"
    retryable = True

    def __init__(self, detail: str | None = None, *, retry_after_s: float = 1.0) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class RedisAway(ConnectionError):
    """Redis did not answer, or answered that it cannot serve. The work goes on without it."""


class RedisClustered(RedisAway):
    """The server is one of a Redis Cluster, which spreads keys over servers: the log and what scripts keep beside it
    have to be together."""

    def __init__(self) -> None:
        super().__init__(
            "a Redis Cluster cannot hold the log: give the address of a single server, or of its Sentinels"
        )


class RedisFull(RedisAway):
    """Redis has as much as it may keep, and takes no more."""


def of_code(code: str, detail: str | None, errors: dict[str, Any] | None) -> ChatError:
    """An error that was answered before, from what was kept of it."""
    error = ChatError(detail, errors=errors)
    kind = next((one for one in _kinds(ChatError) if one.code == code), ChatError)
    error.status, error.code, error.title, error.retryable = kind.status, kind.code, kind.title, kind.retryable
    return error


def codes() -> list[str]:
    """Every `code` of the contract, in the order of the tree."""
    return list(dict.fromkeys(one.code for one in _kinds(ChatError)))


def _kinds(kind: type[ChatError]) -> Iterator[type[ChatError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)
