"""What the service takes: one schema for each body of the contract. No queries."""

import re
import unicodedata
from contextlib import suppress
from types import MappingProxyType
from typing import Any
from typing import ClassVar

from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow import fields
from marshmallow import validate
from marshmallow import validates_schema

from chatapp.errors import InvalidMessage
from chatapp.storage import Visibility
from chatapp.wire import marshmallow_ties
from chatapp.wire import rules
from chatapp.wire import visible_text
from chatapp.wire.content import Content
from chatapp.wire.cursor import CURSOR_PATTERN
from chatapp.wire.rules import BODY_MAX_CODE_POINTS
from chatapp.wire.rules import GROWN_MAX_CODE_POINTS

NAME_MAX_CODE_POINTS = 40
# No character is composed of more.
COMPOSED_MAX = 4
BATCH_MAX = 100
# An answer about a bad document stays small, whatever the document was.
ERRORS_MAX = 20
ERROR_KEY_MAX = 100

# What a send may leave out.
OPTIONAL = {"data", "growing"}
BODY = rules.body(BODY_MAX_CODE_POINTS)
LOCAL_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
ROOM_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
DIRECT_PREFIX = "dm-"


def clean_name(raw: str) -> str:
    """A person's name as it is kept: NFKC, trimmed. Raises ValidationError."""
    name = raw.strip()
    if len(name) <= NAME_MAX_CODE_POINTS * COMPOSED_MAX:
        if name:
            rules.visible(name)
        name = _settled(name)
    if not 1 <= len(name) <= NAME_MAX_CODE_POINTS:
        raise ValidationError(f"Between 1 and {NAME_MAX_CODE_POINTS} characters.")
    return name


def _settled(name: str) -> str:
    """In NFKC, which may leave spaces at an end, or make letters of an emoji and leave its selector behind: ™ is TM."""
    before = None
    while name != before:
        before = name
        name = visible_text.without_hidden(unicodedata.normalize("NFKC", name)).strip()
    return name


def host_name(given: str) -> str:
    """A person's name as a host spells it, trimmed, without what cannot be shown; "" if nothing is left."""
    before = None
    name = visible_text.without_hidden(given).strip()
    # The cut may go through a sequence, and what is trimmed may have carried a mark.
    while name != before:
        before = name
        name = visible_text.without_hidden(name[:NAME_MAX_CODE_POINTS]).strip()
    return name


class Name(fields.String):
    """Its pattern is nearly the whole rule: lengths count behind NFKC, joiners and selectors may spell something."""

    json_schema = MappingProxyType({"minLength": 1, "maxLength": NAME_MAX_CODE_POINTS, "pattern": rules.name_pattern})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return clean_name(super()._deserialize(value, attr, data, **kwargs))


class Data(fields.Raw):
    """An object for programs, or null."""

    json_schema = MappingProxyType({"anyOf": [{"$ref": "#/components/schemas/Data"}, {"type": "null"}]})

    def __init__(self) -> None:
        super().__init__(allow_none=True, load_only=True, validate=rules.data)


class Growing(fields.Raw):
    def __init__(self, *, required: bool = False, validate: rules.Rule = rules.boolean) -> None:
        super().__init__(load_only=True, required=required, validate=validate)


class Taken(Schema):
    """A body. `json_schema` is what the documents say of the whole besides its fields."""

    json_schema: ClassVar[dict[str, Any]] = {}


class Anything(fields.Raw):
    json_schema = MappingProxyType(
        {
            "description": "`BatchItem` or `GrowingBatchItem`; anything else fails alone.",
        }
    )

    def __init__(self) -> None:
        super().__init__(allow_none=True)


class SendSchema(Taken):
    localId = fields.String(
        required=True,
        load_only=True,
        validate=rules.matches(LOCAL_ID, "8 to 64 characters of A-Z, a-z, 0-9, _ and -."),
    )
    body = fields.String(required=True, load_only=True, validate=BODY)
    data = Data()
    growing = Growing()


class GrowingSendSchema(SendSchema):
    """What a message begins with: perhaps nothing yet."""

    growing = Growing(required=True, validate=rules.true)
    body = fields.String(required=True, load_only=True, validate=rules.text(0, BODY_MAX_CODE_POINTS))


class BatchItemSchema(SendSchema):
    # Which rooms exist is for the service to say: a name that cannot exist is not found, like any other.
    room = fields.String(required=True, load_only=True)


class GrowingBatchItemSchema(GrowingSendSchema, BatchItemSchema):
    pass


class BatchSchema(Taken):
    # Loaded one by one: a bad one fails alone.
    messages = fields.List(
        Anything(),
        required=True,
        load_only=True,
        validate=validate.Length(min=1, max=BATCH_MAX, error=f"Between 1 and {BATCH_MAX} messages."),
    )


class EditSchema(Taken):
    json_schema: ClassVar[dict[str, Any]] = {"minProperties": 1}

    body = fields.String(load_only=True, validate=BODY)
    data = Data()

    @validates_schema
    def _something(self, loaded: dict[str, Any], **_: Any) -> None:
        if not loaded:
            raise ValidationError({"body": ["Missing data for required field."]})


class AppendSchema(Taken):
    at = fields.Raw(required=True, load_only=True, validate=rules.position)
    text = fields.String(required=True, load_only=True, validate=rules.text(1, BODY_MAX_CODE_POINTS))


class FinishSchema(Taken):
    body = fields.String(load_default=None, load_only=True, validate=rules.body(GROWN_MAX_CODE_POINTS))


class ReadSchema(Taken):
    cursor = fields.String(required=True, load_only=True, metadata={"pattern": CURSOR_PATTERN})


class TypingSchema(Taken):
    # `fields.Boolean` takes numbers and words for it too.
    typing = fields.Raw(required=True, load_only=True, validate=rules.boolean)


class SignInSchema(Taken):
    name = Name(required=True, load_only=True)


class NewRoomSchema(Taken):
    name = fields.String(
        required=True,
        load_only=True,
        validate=rules.matches(ROOM_NAME, "1 to 64 characters of a-z, 0-9 and -, not beginning with -."),
        metadata={"pattern": f"^(?!{DIRECT_PREFIX}){ROOM_NAME.pattern}$"},
    )
    title = fields.String(load_default=None, allow_none=True, load_only=True, validate=rules.title)
    visibility = fields.String(
        load_default=Visibility.PUBLIC,
        load_only=True,
        validate=validate.OneOf([Visibility.PUBLIC, Visibility.PRIVATE], error="Either public or private."),
    )


class RoomChangesSchema(Taken):
    json_schema: ClassVar[dict[str, Any]] = {"minProperties": 1}

    title = fields.String(allow_none=True, load_only=True, validate=rules.title)
    owner = fields.String(load_only=True)

    @validates_schema
    def _something(self, loaded: dict[str, Any], **_: Any) -> None:
        if not loaded:
            raise ValidationError({"title": ["Missing data for required field."]})


class AckSchema(Taken):
    cursor = fields.String(required=True, load_only=True, metadata={"pattern": CURSOR_PATTERN})
    rooms = fields.List(fields.String(), load_default=None, load_only=True, validate=validate.Length(min=1, max=1000))


# By what a send is judged that grows.
GROWING: dict[type[SendSchema], SendSchema] = {
    SendSchema: GrowingSendSchema(),
    BatchItemSchema: GrowingBatchItemSchema(),
}


def load_send(schema: "SendSchema", document: Any) -> Any:
    """Like `load`. What is plainly right skips the schema, which takes as long as everything else of a send."""
    if isinstance(document, dict) and document.get("growing") is True:
        schema = GROWING[type(schema)]
    if isinstance(document, dict) and document.keys() | OPTIONAL == schema.fields.keys():
        with suppress(ValidationError):
            for name, value in document.items():
                _check(schema.fields[name], value)
            return document
    return load(schema, document)


def content_of(loaded: Any) -> Content:
    """What a send says."""
    return Content(loaded["body"], loaded.get("data"), loaded.get("growing", False))


def _check(field: fields.Field[Any], value: Any) -> None:
    """Raises ValidationError."""
    if value is None and field.allow_none:
        return
    if isinstance(field, fields.String) and not isinstance(value, str):
        raise ValidationError("Not a string.")
    marshmallow_ties.validate(field, value)


def load(schema: Schema, document: Any) -> Any:
    """The document as the schema has it. Raises InvalidMessage with the errors by field."""
    try:
        _check_size(schema, document)
        return schema.load(document)
    except ValidationError as error:
        raise InvalidMessage(errors=_readable(error.messages_dict)) from None


def _check_size(schema: Schema, document: Any) -> None:
    """Before each part is looked at: marshmallow looks at all of them, and counts them then. Raises ValidationError."""
    if not isinstance(document, dict):
        return
    if len(document) > len(schema.fields) + ERRORS_MAX:
        raise ValidationError({"_schema": ["Too many fields."]})
    for name, field in schema.fields.items():
        value = document.get(name)
        if isinstance(field, fields.List) and isinstance(value, list):
            try:
                marshmallow_ties.validate(field, value)
            except ValidationError as error:
                raise ValidationError({name: error.messages}) from None


def _readable(errors: Any) -> Any:
    """Errors that can stand in an answer: field names come from the client and may hold anything."""
    if isinstance(errors, dict):
        few = list(errors.items())[:ERRORS_MAX]
        return {str(key)[:ERROR_KEY_MAX].encode("utf-8", "replace").decode(): _readable(value) for key, value in few}
    return errors[:ERRORS_MAX] if isinstance(errors, list) else errors
