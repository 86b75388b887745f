"""People as the wire shows them: one schema for each. No queries."""

from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE
from marshmallow import Schema
from marshmallow import fields

from chatapp.runtime import timestamp


class Moment(fields.Field[datetime]):
    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return timestamp(value)


class Shown(Schema):
    """What the service says. Each field is always there, unless it is there `sometimes`; more may come."""

    class Meta:
        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        field_obj.required = not field_obj.metadata.get("sometimes", False)


class UserSchema(Shown):
    id = fields.String(dump_only=True)
    name = fields.String(dump_only=True)


class MemberSchema(UserSchema):
    joinedAt = Moment(attribute="joined_at", dump_only=True)
    online = fields.Boolean(dump_only=True)
    lastSeenAt = Moment(attribute="last_seen_at", dump_only=True, allow_none=True)
