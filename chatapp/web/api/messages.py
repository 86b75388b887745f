"""`/messages`: send, replay, look up, edit, withdraw, and a room's history."""

from typing import Any

from flask import Blueprint
from flask import Response
from flask import g
from flask import request
from werkzeug.routing import BaseConverter

from chatapp.errors import ChatError
from chatapp.errors import Forbidden
from chatapp.errors import InvalidCursor
from chatapp.errors import InvalidMessage
from chatapp.errors import InvalidParameter
from chatapp.errors import LocalIdReused
from chatapp.errors import OutOfStep
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
from chatapp.web.deadline import LONG_MAX_BYTES
from chatapp.web.documents import parameter
from chatapp.web.documents.call import Call
from chatapp.web.documents.call import Given
from chatapp.web.documents.call import described
from chatapp.web.documents.parameter import IF_NONE_MATCH
from chatapp.web.documents.parameter import LOCAL_ID_SCHEMA
from chatapp.web.documents.parameter import Parameter
from chatapp.web.problems import problem
from chatapp.wire import answers
from chatapp.wire import message_document
from chatapp.wire import schemas
from chatapp.wire import shapes

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

MESSAGE = Given(shapes.MessageSchema)
RATE_FIELDS = ("RateLimit", "RateLimit-Policy")
LOCAL_IDS = Parameter(
    {"type": "array", "items": LOCAL_ID_SCHEMA, "minItems": 1, "maxItems": schemas.BATCH_MAX},
    "The localIds of sends, each as `localId=…`.",
    required=True,
)
# What can be done next with a message that was sent.
OF_MESSAGE = ("getMessage", "editMessage", "appendToMessage", "finishMessage", "withdrawMessage")


class MessageId(BaseConverter):
    """Its addresses are not those beside it, which take other methods."""

    part_isolating = True
    regex = r"(?!(?:batch|status)(?:/|$))[^/]+"


@blueprint.post("/rooms/<room>/messages")
@described(
    Call(
        "sendMessage",
        {201: MESSAGE, 200: Given(shapes.MessageSchema, ("Idempotent-Replayed",))},
        takes=(schemas.SendSchema, schemas.GrowingSendSchema),
        raises=(Forbidden, LocalIdReused),
        fields=RATE_FIELDS,
        example={"localId": "first-0001", "body": "hello"},
        leads_to=dict.fromkeys(OF_MESSAGE, ("messageId", "id")),
    )
)
def send_by_flask(room: str) -> Response:
    """Send a message.

    201 means committed. 200 is the message that this localId was accepted for before. The header `Idempotency-Key` may
    stand for the field `localId`; if both are there they must agree. With `growing: true` it is the beginning of a
    message to which `append` adds.
    """
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
@described(
    Call(
        "sendBatch",
        {200: Given(answers.BatchResultsSchema)},
        takes=(schemas.BatchSchema,),
        fields=RATE_FIELDS,
        example={"messages": [{"room": "general", "localId": "second-0002", "body": "and again"}]},
    )
)
def send_batch() -> Response:
    """Send what was written meanwhile: up to 100 messages in order.

    What can never be accepted fails alone. After one that is refused for now, the later new ones of its room get the
    same problem without being tried.
    """
    who = current.reader(1 + int(request.content_length or 0) / BATCH_BYTES_PER_UNIT)
    g.rate_of = who
    try:
        items = document(BATCH, LONG_MAX_BYTES)["messages"]
    except ChatError as refused:
        error, _ = services().messaging.refuse(who, None, refused)
        raise error from None
    return Answer.json({"results": Batch(services().messaging, who).send(items)}).response()


@blueprint.get("/messages/status")
@query_parameters(localId=LOCAL_IDS)
@described(Call("getOutcomes", {200: Given(answers.OutcomesSchema)}))
def status() -> Response:
    """What became of sends, by their localIds."""
    who = current.reader(STATUS_UNITS)
    local_ids = request.args.getlist("localId")
    if not 1 <= len(local_ids) <= schemas.BATCH_MAX or not all(schemas.LOCAL_ID.fullmatch(one) for one in local_ids):
        raise InvalidParameter(f"localId: between 1 and {schemas.BATCH_MAX} of them, each 8 to 64 of A-Z a-z 0-9 _ -.")
    return Answer.json({"results": services().messaging.status(who, local_ids)}).response()


@blueprint.get("/messages/<message:message_id>")
@described(
    Call(
        "getMessage",
        {200: Given(shapes.CountedMessageSchema, ("ETag",)), 304: Given(fields=("ETag",))},
        headers={"If-None-Match": IF_NONE_MATCH},
    )
)
def get_message(message_id: str) -> Response:
    """Look at a message, and how many others have it and have read it."""
    message, delivered_to, read_by = services().messaging.get(current.reader(), message_id)
    counts = {"deliveredTo": delivered_to, "readBy": read_by}
    response = Answer.json({**message_document.of(message), **counts}).response()
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.patch("/messages/<message:message_id>")
@described(
    Call(
        "editMessage",
        {200: MESSAGE},
        takes=(schemas.EditSchema,),
        raises=(Forbidden,),
        example={"body": "hello, all"},
    )
)
def edit(message_id: str) -> Response:
    """Edit a message of one's own.

    What is not named stays; `data: null` takes it away.
    """
    who = current.identity()
    return Answer.json(message_document.of(services().changes.edit(who, message_id, document(EDIT)))).response()


@blueprint.post("/messages/<message:message_id>/append")
@described(
    Call(
        "appendToMessage",
        {200: Given(answers.GrownSchema)},
        takes=(schemas.AppendSchema,),
        raises=(Forbidden, OutOfStep),
        example={"at": 5, "text": ", all"},
    )
)
def append_by_flask(message_id: str) -> Response:
    """Add text to a message that grows.

    `at` is its length so far, in code points. The same again changes nothing.
    """
    return append(services(), request.environ, message_id).response()


def append(parts: Services, environ: dict[str, Any], message_id: str) -> Answer:
    """Add to a message that grows."""
    Query(environ).refuse_unknown(())
    who = auth.identify(parts, environ)
    new = schemas.load(APPEND, raw_document(environ))
    length = parts.appends.append(who, message_id, int(new["at"]), new["text"])
    return Answer.json({"id": message_id, "length": length})


@blueprint.post("/messages/<message:message_id>/finish")
@described(Call("finishMessage", {200: MESSAGE}, takes=(schemas.FinishSchema,), raises=(Forbidden,), example={}))
def finish(message_id: str) -> Response:
    """End a message that grows.

    `body` stands instead of what there is.
    """
    who = current.identity()
    finished = services().changes.finish(who, message_id, document(FINISH, LONG_MAX_BYTES)["body"])
    return Answer.json(message_document.of(finished)).response()


@blueprint.delete("/messages/<message:message_id>")
@described(Call("withdrawMessage", {200: MESSAGE}, raises=(Forbidden,)))
def withdraw(message_id: str) -> Response:
    """Withdraw a message of one's own; the same each time it is repeated."""
    return Answer.json(message_document.of(services().changes.withdraw(current.identity(), message_id))).response()


@blueprint.get("/rooms/<room>/messages")
@query_parameters(
    before=parameter.cursor("Messages before it."),
    after=parameter.cursor("Messages behind it."),
    limit=parameter.number(1, HISTORY_MAX, HISTORY_DEFAULT, "How many messages at most."),
)
@described(
    Call(
        "getHistory",
        {200: Given(answers.HistorySchema)},
        raises=(InvalidCursor,),
    )
)
def room_history(room: str) -> Response:
    """A page of a room's messages.

    Ascending; the newest without `before` and `after`. Start a stream from `cursor` and nothing between page and
    stream is missed.
    """
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
