"""`send_document`: what a send says to the service, as far as it can be judged here."""

import json
import secrets
from typing import Any
from urllib.parse import quote

from chatapp.client.errors import Refused
from chatapp.client.problem import Problem

# The service takes 64 KiB for a request, and cuts the connection of what is longer: that must not look like an outage.
REQUEST_BYTES_MAX = 64 * 1024


def send_document(room: str, body: str, data: dict[str, Any] | None, local_id: str | None) -> dict[str, Any]:
    """Raises ValueError and TypeError for what is no room or no JSON, Refused for what is too long for one request."""
    document = {"localId": new_local_id() if local_id is None else local_id, "body": body, "data": data}
    if not quote(room, safe=""):
        raise ValueError("a room has a name")
    size = len(json.dumps(document, allow_nan=False, ensure_ascii=False).encode(errors="surrogatepass"))
    if size > REQUEST_BYTES_MAX:
        detail = f"{size} bytes; a request may have {REQUEST_BYTES_MAX}"
        raise Refused(Problem.of({"code": "too_large", "status": 413, "detail": detail}))
    return document


def new_local_id() -> str:
    return secrets.token_urlsafe(16)
