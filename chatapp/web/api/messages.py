"""`/messages`: send, replay, look up, edit, withdraw, and a room's history."""

from typing import Any

from flask import Blueprint
from flask import Response
from flask import g
from flask import request

from chatapp.errors import ChatError
from chatapp.errors import InvalidMessage
from chatapp.errors import InvalidParameter
from chatapp.errors import RateLimited
from chatapp.people import Identity
from chatapp.people import access
from chatapp.receiving import history
from chatapp.sending import Batch
from chatapp.services import Services
from chatapp.web import auth
from chatapp.web import current
from chatapp.web.answers import Answer
from chatapp.web.api.inputs import Query
from chatapp.web.api.inputs import document
from chatapp.web.api.inputs import query_parameters
from chatapp.web.api.inputs import raw_document
from chatapp.web.current import services
from chatapp.web.deadline import BATCH_MAX_BYTES
from chatapp.web.problems import problem
from chatapp.wire import message_document
from chatapp.wire import schemas

blueprint = Blueprint("messages", __name__)

SEND = schemas.SendSchema()
BATCH = schemas.BatchSchema()
EDIT = schemas.EditSchema()
APPEND = schemas.AppendSchema()
FINISH = schemas.FinishSchema()

HISTORY_DEFAULT = 50
HISTORY_MAX = 200
# Of the rate of reading: a page of two hundred long messages takes twenty milliseconds.
MESSAGES_PER_UNIT = 10
# To look through a batch of half a megabyte takes as long.
BATCH_BYTES_PER_UNIT = 32 * 1024
STATUS_UNITS = 5.0


@blueprint.post("/rooms/<room>/messages")
def send_by_flask(room: str) -> Response:
    return send(services(), request.environ, room).response()


def send(parts: Services, environ: dict[str, Any], room: str) -> Answer:
    """Store a message. Every answer says what is left of the rate, once it is known whose."""
    Query(environ).refuse_unknown(())
    who = auth.identify(parts, environ)
    local_id = None
    try:
        body = _with_idempotency_key(environ, raw_document(environ))
        local_id = body.get("localId") if isinstance(body, dict) else None
        message = schemas.load_send(SEND, body)
        sent = parts.messaging.send(who, room, message["localId"], schemas.content_of(message))
    except ChatError as refused:
        error, ruling = parts.messaging.refuse(who, local_id, refused)
        if isinstance(local_id, str) and schemas.LOCAL_ID.fullmatch(local_id):
            error.local_id = local_id
        answer = problem(error)
        if not isinstance(error, RateLimited):
            answer.headers += (ruling or parts.admission.peek(who.id)).fields
        return answer
    answer = Answer.json(sent.document, 200 if sent.replayed else 201)
    answer.headers += sent.ruling.fields
    if sent.replayed:
        answer.headers.append(("Idempotent-Replayed", "true"))
    return answer


@blueprint.post("/messages/batch")
def send_batch() -> Response:
    who = current.reader(1 + int(request.content_length or 0) / BATCH_BYTES_PER_UNIT)
    g.rate_of = who
    try:
        items = document(BATCH, BATCH_MAX_BYTES)["messages"]
    except ChatError as refused:
        error, _ = services().messaging.refuse(who, None, refused)
        raise error from None
    return Answer.json({"results": Batch(services().messaging, who).send(items)}).response()


@blueprint.get("/messages/status")
@query_parameters("localId")
def status() -> Response:
    who = current.reader(STATUS_UNITS)
    local_ids = request.args.getlist("localId")
    if not 1 <= len(local_ids) <= schemas.BATCH_MAX or not all(schemas.LOCAL_ID.fullmatch(one) for one in local_ids):
        raise InvalidParameter(f"localId: between 1 and {schemas.BATCH_MAX} of them, each 8 to 64 of A-Z a-z 0-9 _ -.")
    return Answer.json({"results": services().messaging.status(who, local_ids)}).response()


@blueprint.get("/messages/<message_id>")
def get_message(message_id: str) -> Response:
    message, delivered_to, read_by = services().messaging.get(current.reader(), message_id)
    counts = {"deliveredTo": delivered_to, "readBy": read_by}
    response = Answer.json({**message_document.of(message), **counts}).response()
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.patch("/messages/<message_id>")
def edit(message_id: str) -> Response:
    who = current.identity()
    return Answer.json(message_document.of(services().changes.edit(who, message_id, document(EDIT)))).response()


@blueprint.post("/messages/<message_id>/append")
def append_by_flask(message_id: str) -> Response:
    return append(services(), request.environ, message_id).response()


def append(parts: Services, environ: dict[str, Any], message_id: str) -> Answer:
    """Add to a message that grows."""
    Query(environ).refuse_unknown(())
    who = auth.identify(parts, environ)
    new = schemas.load(APPEND, raw_document(environ))
    length = parts.appends.append(who, message_id, new["at"], new["text"])
    return Answer.json({"id": message_id, "length": length})


@blueprint.post("/messages/<message_id>/finish")
def finish(message_id: str) -> Response:
    who = current.identity()
    finished = services().changes.finish(who, message_id, document(FINISH)["body"])
    return Answer.json(message_document.of(finished)).response()


@blueprint.delete("/messages/<message_id>")
def withdraw(message_id: str) -> Response:
    return Answer.json(message_document.of(services().changes.withdraw(current.identity(), message_id))).response()


@blueprint.get("/rooms/<room>/messages")
@query_parameters("before", "after", "limit")
def room_history(room: str) -> Response:
    query = Query(request.environ)
    limit = query.number("limit", HISTORY_DEFAULT, 1, HISTORY_MAX)
    who = current.reader()
    # What it may cost, until it is known what it does.
    services().read_rate.add(who.id, limit / MESSAGES_PER_UNIT)
    before, after = query.cursor("before"), query.cursor("after")
    # Before the page is read: a stream from here misses nothing that the page does not show.
    cursor = services().tail.end
    page = services().database.read(
        lambda tx: history.page(tx, access.readable(tx, who, room).id, before, after, limit)
    )
    services().read_rate.add(who.id, (len(page.messages) - limit) / MESSAGES_PER_UNIT)
    return Answer.json(
        {
            "messages": [message_document.of(row) for row in page.messages],
            "before": page.before,
            "after": page.after,
            "hasMore": page.has_more,
            "cursor": str(cursor),
        }
    ).response()


def add_rate_limit(response: Response) -> Response:
    """Every answer to a batch says what is left of the rate."""
    who: Identity | None = g.get("rate_of")
    if who is not None:
        response.headers.extend(services().admission.peek(who.id).fields)
    return response


def _with_idempotency_key(environ: dict[str, Any], body: Any) -> Any:
    """The header does as well as the field; both must say the same."""
    key = environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None or not isinstance(body, dict):
        return body
    # The draft writes it as a quoted string, most clients as it is.
    key = key.strip().removeprefix('"').removesuffix('"')
    if body.setdefault("localId", key) != key:
        raise InvalidMessage(errors={"localId": ["Differs from the Idempotency-Key header."]})
    return body
