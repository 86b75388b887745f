"""`/rooms` and `/direct`: which rooms there are, and who is in them."""

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import request

from chatapp.errors import Forbidden
from chatapp.errors import InvalidCursor
from chatapp.errors import NotFound
from chatapp.errors import RoomExists
from chatapp.people import PLACE_PATTERN
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
from chatapp.web.documents import parameter
from chatapp.web.documents.call import Call
from chatapp.web.documents.call import Given
from chatapp.web.documents.call import described
from chatapp.wire import answers
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

AFTER = parameter.text("The `after` of the page before.", pattern=PLACE_PATTERN)
ROOM = Given(answers.RoomSchema)
NOTHING = Given()
# What can be done next with a room that was made.
OF_ROOM = ("getRoom", "changeRoom", "deleteRoom", "listMembers", "getHistory", "sendMessage")


@blueprint.get("/rooms")
@query_parameters(after=AFTER, limit=parameter.number(1, ROOMS_PER_PAGE, ROOMS_PER_PAGE, "How many rooms at most."))
@described(Call("listRooms", {200: Given(answers.RoomsSchema)}))
def list_rooms() -> Response:
    """List the rooms: own ones, then public ones, by name.

    Start the stream from `cursor`, then load histories: nothing in between is missed.
    """
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
@described(
    Call(
        "createRoom",
        {201: ROOM},
        takes=(schemas.NewRoomSchema,),
        raises=(Forbidden, RoomExists),
        example={"name": "tea", "title": "Tea and biscuits", "visibility": "public"},
        leads_to=dict.fromkeys(OF_ROOM, ("room", "name")),
    )
)
def create_room() -> Response:
    """Make a room, and own it."""
    who = current.reader()
    new = document(NEW_ROOM)
    services().admission.charge(NEW_ROOMS, who.id)
    return Answer.json(services().rooms.create(who, **new).document(), 201).response()


@blueprint.get("/rooms/<room>")
@described(Call("getRoom", {200: ROOM}))
def get_room(room: str) -> Response:
    """Look at a room."""
    return Answer.json(services().rooms.get(current.reader(), room).document()).response()


@blueprint.patch("/rooms/<room>")
@described(
    Call(
        "changeRoom",
        {200: ROOM},
        takes=(schemas.RoomChangesSchema,),
        raises=(Forbidden,),
        example={"title": "Tea, no biscuits"},
    )
)
def change_room(room: str) -> Response:
    """Rename a room, or hand it over, as its owner.

    `title: null` takes the title away. A new owner must be a member.
    """
    who = current.identity()
    services().admission.charge(MOVES, who.id)
    return Answer.json(services().rooms.change(who, room, document(ROOM_CHANGES)).document()).response()


@blueprint.delete("/rooms/<room>")
@described(Call("deleteRoom", {204: NOTHING}, raises=(Forbidden,)))
def delete_room(room: str) -> Response:
    """Delete a room with all that was said in it, as its owner."""
    who = current.identity()
    services().admission.charge(MOVES, who.id)
    services().rooms.delete(who, room)
    return make_response("", 204)


@blueprint.get("/rooms/<room>/members")
@query_parameters(
    after=AFTER,
    limit=parameter.number(1, MEMBERS_PER_PAGE_MAX, MEMBERS_PER_PAGE, "How many members at most."),
    online=parameter.flag("Only those who are online."),
)
@described(
    Call(
        "listMembers",
        {200: Given(answers.MembersSchema)},
    )
)
def list_members(room: str) -> Response:
    """List the members of a room, by name."""
    who = current.reader(MEMBERS_UNITS)
    query = Query(request.environ)
    limit = query.number("limit", MEMBERS_PER_PAGE, 1, MEMBERS_PER_PAGE_MAX)
    after, online = query.text("after"), query.flag("online")
    members, after = services().members.page(who, room, after, limit, online=online)
    return Answer.json({"members": MEMBER.dump(members, many=True), "after": after}).response()


@blueprint.put("/rooms/<room>/members/<path:user_id>")
@described(Call("addMember", {200: Given(documents.MemberSchema)}, raises=(Forbidden,)))
def add_member(room: str, user_id: str) -> Response:
    """Join a public room, or invite into a private one."""
    who = current.identity()
    services().admission.charge(MOVES, who.id)
    return Answer.json(MEMBER.dump(services().rooms.add(who, room, who.id if user_id == "me" else user_id))).response()


@blueprint.delete("/rooms/<room>/members/<path:user_id>")
@described(Call("removeMember", {204: NOTHING}, raises=(Forbidden,)))
def remove_member(room: str, user_id: str) -> Response:
    """Leave a room, or remove somebody as its owner.

    204 also for one who is no member.
    """
    who = current.identity()
    services().admission.charge(MOVES, who.id)
    services().rooms.remove(who, room, who.id if user_id == "me" else user_id)
    return make_response("", 204)


@blueprint.post("/rooms/<room>/read")
@described(
    Call(
        "moveReadReceipt",
        {204: NOTHING},
        takes=(schemas.ReadSchema,),
        raises=(Forbidden, InvalidCursor),
        example={"cursor": "1763781234567-0"},
    )
)
def move_read(room: str) -> Response:
    """Say how far one has read a room.

    The read receipt moves forward, never back. What was read was received, too.
    """
    who = current.reader(READ_UNITS)
    cursor = parse_cursor(document(READ)["cursor"])
    found = services().read_receipts.move(who, room, cursor)
    # What was read was received.
    mine = services().known_rooms.memberships(who, cursor)
    services().receipts.ack(who.id, mine.joinings((found,)), cursor)
    return make_response("", 204)


@blueprint.get("/rooms/<room>/receipts")
@described(Call("listReceipts", {200: Given(answers.ReceiptsSchema)}, raises=(Forbidden,)))
def list_receipts(room: str) -> Response:
    """How far each member has received and read a room of at most 50."""
    who = current.reader(MEMBERS_UNITS)
    return Answer.json({"receipts": services().room_receipts.of_room(who, room)}).response()


@blueprint.post("/rooms/<room>/typing")
@described(
    Call("tellTyping", {204: NOTHING}, takes=(schemas.TypingSchema,), raises=(Forbidden,), example={"typing": True})
)
def tell_typing(room: str) -> Response:
    """Tell the others in a room that one types, or stopped."""
    who = current.reader(TYPING_UNITS)
    services().typing.tell(who, room, document(TYPING)["typing"])
    return make_response("", 204)


@blueprint.put("/direct/<path:user_id>")
@described(Call("openDirectRoom", {200: ROOM}, raises=(Forbidden, NotFound)))
def direct_room(user_id: str) -> Response:
    """The room of oneself and another, made if need be."""
    who = current.reader()
    other = who.id if user_id == "me" else user_id
    found = services().rooms.present_direct(who, other)
    if found is None:
        services().admission.charge(NEW_DIRECT, who.id)
        found = services().rooms.direct(who, other)
    return Answer.json(found.document()).response()
