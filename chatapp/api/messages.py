"""`/messages`: send, replay, look up, edit, withdraw, and a room's history."""

from typing import Any

from flask import Blueprint
from flask import Response
from flask import g
from flask import request

from chatapp import access
from chatapp import auth
from chatapp import history
from chatapp import schemas
from chatapp.access import Identity
from chatapp.answer import Answer
from chatapp.api.inputs import BATCH_MAX_BYTES
from chatapp.api.inputs import Query
from chatapp.api.inputs import document
from chatapp.api.inputs import query_parameters
from chatapp.api.inputs import raw_document
from chatapp.batch import Batch
from chatapp.errors import ChatError
from chatapp.errors import InvalidMessage
from chatapp.errors import InvalidParameter
from chatapp.errors import problem_answer
from chatapp.schemas import BATCH_MAX
from chatapp.schemas import LOCAL_ID
from chatapp.schemas import BatchSchema
from chatapp.schemas import EditSchema
from chatapp.schemas import SendSchema
from chatapp.schemas import load_send
from chatapp.services import Services
from chatapp.services import services

blueprint = Blueprint("messages", __name__)

SEND = SendSchema()
BATCH = BatchSchema()
EDIT = EditSchema()

HISTORY_DEFAULT = 50
HISTORY_MAX = 200


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
        message = load_send(SEND, body)
        sent = parts.messaging.send(who, room, message["localId"], message["body"])
    except ChatError as error:
        parts.messaging.refuse(who, local_id, error)
        if isinstance(local_id, str) and LOCAL_ID.fullmatch(local_id):
            error.local_id = local_id
        answer = problem_answer(error)
        answer.headers += parts.admission.fields(parts.admission.peek(who.id))
        return answer
    answer = Answer.json(sent.document, 200 if sent.replayed else 201)
    answer.headers += parts.admission.fields(sent.limit)
    if sent.replayed:
        answer.headers.append(("Idempotent-Replayed", "true"))
    return answer


@blueprint.post("/messages/batch")
def send_batch() -> Response:
    who = auth.current()
    g.rate_of = who
    items = document(BATCH, BATCH_MAX_BYTES)["messages"]
    return Answer.json({"results": Batch(services().messaging, who).send(items)}).response()


@blueprint.get("/messages/status")
@query_parameters("localId")
def status() -> Response:
    who = auth.current()
    local_ids = request.args.getlist("localId")
    if not 1 <= len(local_ids) <= BATCH_MAX or not all(LOCAL_ID.fullmatch(one) for one in local_ids):
        raise InvalidParameter(f"localId: between 1 and {BATCH_MAX} of them, each 8 to 64 of A-Z a-z 0-9 _ -.")
    return Answer.json({"results": services().messaging.status(who, local_ids)}).response()


@blueprint.get("/messages/<message_id>")
def get_message(message_id: str) -> Response:
    message, delivered_to = services().messaging.get(auth.current(), message_id)
    response = Answer.json({**schemas.message(message), "deliveredTo": delivered_to}).response()
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.patch("/messages/<message_id>")
def edit(message_id: str) -> Response:
    who = auth.current()
    return Answer.json(schemas.message(services().messaging.edit(who, message_id, document(EDIT)["body"]))).response()


@blueprint.delete("/messages/<message_id>")
def withdraw(message_id: str) -> Response:
    return Answer.json(schemas.message(services().messaging.withdraw(auth.current(), message_id))).response()


@blueprint.get("/rooms/<room>/messages")
@query_parameters("before", "after", "limit")
def room_history(room: str) -> Response:
    who = auth.current()
    query = Query(request.environ)
    before, after = query.cursor("before"), query.cursor("after")
    limit = query.number("limit", HISTORY_DEFAULT, 1, HISTORY_MAX)
    # Before the page is read: a stream from here misses nothing that the page does not show.
    cursor = services().hub.end
    page = services().database.read(
        lambda tx: history.page(tx, access.readable(tx, who, room).id, before, after, limit)
    )
    return Answer.json(
        {
            "messages": [schemas.message(row) for row in page.messages],
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
        admission = services().admission
        response.headers.extend(admission.fields(admission.peek(who.id)))
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
