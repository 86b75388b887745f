"""What the service takes: one schema for each body of the contract. No queries."""

import re
import unicodedata
from contextlib import suppress
from typing import Any

from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow import fields
from marshmallow import validate
from marshmallow import validates_schema

from chatapp.errors import InvalidMessage
from chatapp.storage import Visibility
from chatapp.wire import content
from chatapp.wire import marshmallow_ties
from chatapp.wire import visible_text
from chatapp.wire.content import Content

BODY_MAX_CODE_POINTS = 4000
# Of a message that grows, in the end.
GROWN_MAX_CODE_POINTS = 32_000
NAME_MAX_CODE_POINTS = 40
TITLE_MAX_CODE_POINTS = 100
# No character is composed of more.
COMPOSED_MAX = 4
BATCH_MAX = 100
# An answer about a bad document stays small, whatever the document was.
ERRORS_MAX = 20
ERROR_KEY_MAX = 100

# What a send may leave out.
OPTIONAL = {"data", "growing"}
LOCAL_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
# Control characters (Cc) except tab and newline, and surrogates (Cs).
UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
ROOM_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
DIRECT_PREFIX = "dm-"


def _matches(pattern: re.Pattern[str], message: str) -> Any:
    def check(value: str) -> None:
        if pattern.fullmatch(value) is None:
            raise ValidationError(message)

    return check


def _text(least: int, most: int) -> Any:
    def check(value: str) -> None:
        if not least <= len(value) <= most:
            raise ValidationError(f"Between {least} and {most} characters.")
        if UNFIT.search(value):
            raise ValidationError("No control characters but tab and newline, and no lone surrogates.")

    return check


def _body(value: str, most: int = BODY_MAX_CODE_POINTS) -> None:
    _text(1, most)(value)
    if value.isspace():
        raise ValidationError("Not only white space.")


def _grown_body(value: str) -> None:
    _body(value, GROWN_MAX_CODE_POINTS)


def _position(value: Any) -> None:
    if type(value) is not int or not 0 <= value <= GROWN_MAX_CODE_POINTS:
        raise ValidationError(f"A whole number from 0 to {GROWN_MAX_CODE_POINTS}.")


def _title(value: str) -> None:
    if not 1 <= len(value) <= TITLE_MAX_CODE_POINTS:
        raise ValidationError(f"Between 1 and {TITLE_MAX_CODE_POINTS} characters.")
    _visible(value)


def _visible(text: str) -> None:
    fault = visible_text.fault(text)
    if fault is not None:
        raise ValidationError(fault)


def clean_name(raw: str) -> str:
    """A person's name as it is kept: NFKC, trimmed. Raises ValidationError."""
    name = raw.strip()
    if len(name) <= NAME_MAX_CODE_POINTS * COMPOSED_MAX:
        if name:
            _visible(name)
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
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return clean_name(super()._deserialize(value, attr, data, **kwargs))


def _boolean(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValidationError("Either true or false.")


def _data(value: Any) -> None:
    fault = content.fault(value)
    if fault is not None:
        raise ValidationError(fault)


class Data(fields.Raw):
    """An object for programs, or null."""

    def __init__(self) -> None:
        super().__init__(allow_none=True, load_only=True, validate=_data)


class Growing(fields.Raw):
    def __init__(self) -> None:
        super().__init__(load_only=True, validate=_boolean)


class SendSchema(Schema):
    localId = fields.String(
        required=True,
        load_only=True,
        validate=_matches(LOCAL_ID, "8 to 64 characters of A-Z, a-z, 0-9, _ and -."),
    )
    body = fields.String(required=True, load_only=True, validate=_body)
    data = Data()
    growing = Growing()


class GrowingSendSchema(SendSchema):
    """What a message begins with: perhaps nothing yet."""

    body = fields.String(required=True, load_only=True, validate=_text(0, BODY_MAX_CODE_POINTS))


class BatchItemSchema(SendSchema):
    # Which rooms exist is for the service to say: a name that cannot exist is not found, like any other.
    room = fields.String(required=True, load_only=True)


class GrowingBatchItemSchema(GrowingSendSchema, BatchItemSchema):
    pass


class BatchSchema(Schema):
    # Items are loaded one by one: a bad one fails alone.
    messages = fields.List(
        fields.Raw(allow_none=True),
        required=True,
        load_only=True,
        validate=validate.Length(min=1, max=BATCH_MAX, error=f"Between 1 and {BATCH_MAX} messages."),
    )


class EditSchema(Schema):
    body = fields.String(load_only=True, validate=_body)
    data = Data()

    @validates_schema
    def _something(self, loaded: dict[str, Any], **_: Any) -> None:
        if not loaded:
            raise ValidationError({"body": ["Missing data for required field."]})


class AppendSchema(Schema):
    at = fields.Raw(required=True, load_only=True, validate=_position)
    text = fields.String(required=True, load_only=True, validate=_text(1, BODY_MAX_CODE_POINTS))


class FinishSchema(Schema):
    body = fields.String(load_default=None, load_only=True, validate=_grown_body)


class ReadSchema(Schema):
    cursor = fields.String(required=True, load_only=True)


class TypingSchema(Schema):
    # `fields.Boolean` takes numbers and words for it too.
    typing = fields.Raw(required=True, load_only=True, validate=_boolean)


class SignInSchema(Schema):
    name = Name(required=True, load_only=True)


class NewRoomSchema(Schema):
    name = fields.String(
        required=True,
        load_only=True,
        validate=_matches(ROOM_NAME, "1 to 64 characters of a-z, 0-9 and -, not beginning with -."),
    )
    title = fields.String(load_default=None, allow_none=True, load_only=True, validate=_title)
    visibility = fields.String(
        load_default=Visibility.PUBLIC,
        load_only=True,
        validate=validate.OneOf([Visibility.PUBLIC, Visibility.PRIVATE], error="Either public or private."),
    )


class RoomChangesSchema(Schema):
    title = fields.String(allow_none=True, load_only=True, validate=_title)
    owner = fields.String(load_only=True)

    @validates_schema
    def _something(self, loaded: dict[str, Any], **_: Any) -> None:
        if not loaded:
            raise ValidationError({"title": ["Missing data for required field."]})


class AckSchema(Schema):
    cursor = fields.String(required=True, load_only=True)
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
