"""`/rooms` and `/direct`: which rooms there are, and who is in them."""

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import request

from chatapp.sending import MOVES
from chatapp.sending import NEW_DIRECT
from chatapp.sending import NEW_ROOMS
from chatapp.web import current
from chatapp.web.answers import Answer
from chatapp.web.api.inputs import Query
from chatapp.web.api.inputs import document
from chatapp.web.api.inputs import parse_cursor
from chatapp.web.api.inputs import query_parameters
from chatapp.web.current import services
from chatapp.wire import documents
from chatapp.wire import schemas

blueprint = Blueprint("rooms", __name__)

NEW_ROOM = schemas.NewRoomSchema()
READ = schemas.ReadSchema()
ROOM_CHANGES = schemas.RoomChangesSchema()
TYPING = schemas.TypingSchema()
MEMBER = documents.MemberSchema()

ROOMS_PER_PAGE = 100
MEMBERS_PER_PAGE = 200
MEMBERS_PER_PAGE_MAX = 1000
# Of the rate of reading, by the milliseconds that they take.
ROOMS_PER_UNIT = 10
MEMBERS_UNITS = 5.0
# It goes to all who follow the room.
TYPING_UNITS = 5.0
READ_UNITS = 2.0


@blueprint.get("/rooms")
@query_parameters("after", "limit")
def list_rooms() -> Response:
    who = current.reader()
    query = Query(request.environ)
    limit = query.number("limit", ROOMS_PER_PAGE, 1, ROOMS_PER_PAGE)
    # Before the rooms are read: a stream from here misses nothing that the page does not show.
    cursor = services().tail.end
    # What it may cost, until it is known what it does.
    services().read_rate.add(who.id, limit / ROOMS_PER_UNIT)
    rooms, after = services().rooms.list(who, query.text("after"), limit)
    services().read_rate.add(who.id, (len(rooms) - limit) / ROOMS_PER_UNIT)
    return Answer.json({"rooms": [room.document() for room in rooms], "after": after, "cursor": str(cursor)}).response()


@blueprint.post("/rooms")
def create_room() -> Response:
    who = current.reader()
    new = document(NEW_ROOM)
    services().admission.charge(NEW_ROOMS, who.id)
    return Answer.json(services().rooms.create(who, **new).document(), 201).response()


@blueprint.get("/rooms/<room>")
def get_room(room: str) -> Response:
    return Answer.json(services().rooms.get(current.reader(), room).document()).response()


@blueprint.patch("/rooms/<room>")
def change_room(room: str) -> Response:
    who = current.identity()
    services().admission.charge(MOVES, who.id)
    return Answer.json(services().rooms.change(who, room, document(ROOM_CHANGES)).document()).response()


@blueprint.delete("/rooms/<room>")
def delete_room(room: str) -> Response:
    who = current.identity()
    services().admission.charge(MOVES, who.id)
    services().rooms.delete(who, room)
    return make_response("", 204)


@blueprint.get("/rooms/<room>/members")
@query_parameters("after", "limit", "online")
def list_members(room: str) -> Response:
    who = current.reader(MEMBERS_UNITS)
    query = Query(request.environ)
    limit = query.number("limit", MEMBERS_PER_PAGE, 1, MEMBERS_PER_PAGE_MAX)
    after, online = query.text("after"), query.flag("online")
    members, after = services().members.page(who, room, after, limit, online=online)
    return Answer.json({"members": MEMBER.dump(members, many=True), "after": after}).response()


@blueprint.put("/rooms/<room>/members/<path:user_id>")
def add_member(room: str, user_id: str) -> Response:
    who = current.identity()
    services().admission.charge(MOVES, who.id)
    return Answer.json(MEMBER.dump(services().rooms.add(who, room, who.id if user_id == "me" else user_id))).response()


@blueprint.delete("/rooms/<room>/members/<path:user_id>")
def remove_member(room: str, user_id: str) -> Response:
    who = current.identity()
    services().admission.charge(MOVES, who.id)
    services().rooms.remove(who, room, who.id if user_id == "me" else user_id)
    return make_response("", 204)


@blueprint.post("/rooms/<room>/read")
def move_read(room: str) -> Response:
    who = current.reader(READ_UNITS)
    cursor = parse_cursor(document(READ)["cursor"])
    found = services().read_receipts.move(who, room, cursor)
    # What was read was received.
    mine = services().known_rooms.memberships(who, cursor)
    services().receipts.ack(who.id, mine.joinings((found,)), cursor)
    return make_response("", 204)


@blueprint.get("/rooms/<room>/receipts")
def list_receipts(room: str) -> Response:
    who = current.reader(MEMBERS_UNITS)
    return Answer.json({"receipts": services().room_receipts.of_room(who, room)}).response()


@blueprint.post("/rooms/<room>/typing")
def tell_typing(room: str) -> Response:
    who = current.reader(TYPING_UNITS)
    services().typing.tell(who, room, document(TYPING)["typing"])
    return make_response("", 204)


@blueprint.put("/direct/<path:user_id>")
def direct_room(user_id: str) -> Response:
    who = current.reader()
    other = who.id if user_id == "me" else user_id
    found = services().rooms.present_direct(who, other)
    if found is None:
        services().admission.charge(NEW_DIRECT, who.id)
        found = services().rooms.direct(who, other)
    return Answer.json(found.document()).response()
