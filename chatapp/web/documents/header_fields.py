"""The header fields of answers that the contract promises."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class HeaderField:
    description: str
    pattern: str | None = None

    def document(self) -> dict[str, Any]:
        pattern = {} if self.pattern is None else {"pattern": self.pattern}
        return {"description": self.description, "required": True, "schema": {"type": "string", **pattern}}


HEADER_FIELDS = {
    "ETag": HeaderField("What to send as `If-None-Match`, to be told by 304 that nothing has changed."),
    "Idempotent-Replayed": HeaderField("This localId was accepted before.", "^true$"),
    "RateLimit": HeaderField("What is left of the rate of sends, and until all is back.", '^"send";r=[0-9]+;t=[0-9]+$'),
    "RateLimit-Policy": HeaderField("How many sends at once, and the window in seconds.", '^"send";q=[0-9]+;w=[0-9]+$'),
    "Retry-After": HeaderField("When to come back, in seconds.", "^[1-9][0-9]*$"),
    "Set-Cookie": HeaderField("The session for browsers, or its end."),
    "Stream-Next-Offset": HeaderField("Where to go on from; offsets sort as text.", "^[0-9]{13}-[0-9]{7}$|^[0-9]{10}$"),
    "Stream-Up-To-Date": HeaderField("There is no more just now.", "^true$"),
    "WWW-Authenticate": HeaderField("How to sign in.", "^Bearer$"),
}
# Of every refusal with this status.
OF_STATUS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
