"""`Draft`: a text that is not sent yet, as it goes from one form to the next."""

import secrets
from dataclasses import dataclass
from dataclasses import replace

from chatapp.web.lite.forms import Form
from chatapp.wire import schemas


@dataclass(frozen=True, slots=True)
class Draft:
    """`local_id` belongs to the form: sent twice, it is one message. `plain`: the room's page without a frame."""

    room: str
    body: str
    local_id: str
    plain: bool = False

    @classmethod
    def of(cls, room: str, form: Form) -> "Draft":
        """What a form holds. One without a localId that can be used gets one."""
        local_id = form.text("localId")
        fit = schemas.LOCAL_ID.fullmatch(local_id) is not None
        return cls(room, form.text("body"), local_id if fit else new_local_id(), form.has("plain"))

    def as_another(self) -> "Draft":
        """The same text as a message of its own."""
        return replace(self, local_id=new_local_id())


def new_local_id() -> str:
    return secrets.token_urlsafe(16)
