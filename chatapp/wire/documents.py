"""People as the wire shows them: one schema for each. No queries."""

from datetime import datetime
from typing import Any

from marshmallow import Schema
from marshmallow import fields

from chatapp.runtime import timestamp


class Moment(fields.Field[datetime]):
    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return timestamp(value)


class UserSchema(Schema):
    id = fields.String(dump_only=True)
    name = fields.String(dump_only=True)


class MemberSchema(UserSchema):
    joinedAt = Moment(attribute="joined_at", dump_only=True)
    online = fields.Boolean(dump_only=True)
    lastSeenAt = Moment(attribute="last_seen_at", dump_only=True)
