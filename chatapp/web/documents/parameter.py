"""`Parameter`: what an address or a header field may carry, as the documents show it."""

from dataclasses import dataclass
from typing import Any

from chatapp.wire import CURSOR_PATTERN
from chatapp.wire import schemas

# As examples show it.
CURSOR = "1763781234567-0"


@dataclass(frozen=True)
class Parameter:
    """`schema` is JSON Schema. What may be given more than once is an array."""

    schema: dict[str, Any]
    description: str
    required: bool = False
    example: str | None = None

    def document(self, name: str, place: str) -> dict[str, Any]:
        return {
            "name": name,
            "in": place,
            "description": self.description,
            "required": self.required or place == "path",
            "schema": self.schema,
            **({} if self.example is None else {"example": self.example}),
        }


def cursor(description: str) -> Parameter:
    return Parameter({"type": "string", "pattern": CURSOR_PATTERN}, description, example=CURSOR)


def number(least: int, most: int, default: int, description: str) -> Parameter:
    return Parameter({"type": "integer", "minimum": least, "maximum": most, "default": default}, description)


def text(description: str, **schema: Any) -> Parameter:
    return Parameter({"type": "string", **schema}, description)


def flag(description: str) -> Parameter:
    return Parameter({"type": "boolean", "default": False}, description)


# By the name of a part of a path, as Flask has it.
IN_PATH = {
    "room": Parameter({"type": "string", "pattern": f"^{schemas.ROOM_NAME.pattern}$"}, "The room's name."),
    "message_id": Parameter({"type": "string", "minLength": 1}, "The message's `id`."),
    "user_id": Parameter({"type": "string", "minLength": 1}, "The user's `id`, or `me`."),
}
LOCAL_ID_SCHEMA = {"type": "string", "pattern": f"^{schemas.LOCAL_ID.pattern}$"}
IF_NONE_MATCH = text("The `ETag` of what is known already.")
