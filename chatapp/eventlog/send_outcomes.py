"""What became of a send, as Redis remembers it for ten minutes: under which key, and in which words.

`claim:…` it is in flight, `done:<message id>` it was accepted, `failed:<code and detail>` it was refused.
"""

from collections.abc import Iterable
from typing import Any

from chatapp.errors import ChatError
from chatapp.errors import of_code
from chatapp.wire import Entry
from chatapp.wire import codec
from chatapp.wire import event_types

# The contract's ten minutes.
REMEMBER_S = 600
# Of a refusal: whoever is refused again and again must not fill Redis by it.
DETAIL_MAX = 200
ERRORS_MAX_BYTES = 300


def send_key(user_id: str, local_id: str) -> str:
    return f"chat:send:{user_id}:{local_id}"


def accepted(entries: Iterable[Entry]) -> dict[str, str]:
    """What is to be remembered of the messages that these entries create, by key."""
    messages = [entry.body["message"] for entry in entries if entry.type == event_types.MESSAGE_CREATED]
    return {send_key(one["sender"]["id"], one["localId"]): f"done:{one['id']}" for one in messages}


def refused(error: ChatError) -> bytes:
    """The code and a few hundred bytes of what else the answer said."""
    kept: dict[str, Any] = {"code": error.code, "detail": (error.detail or error.title)[:DETAIL_MAX]}
    if error.errors is not None and len(codec.dumps(error.errors)) <= ERRORS_MAX_BYTES:
        kept["errors"] = error.errors
    return b"failed:" + codec.dumps(kept)


def in_flight(state: bytes | None) -> bool:
    return state is not None and state.startswith(b"claim:")


def problem_of(state: bytes | None, local_id: str) -> dict[str, Any] | None:
    """Why it was refused, if it was."""
    if state is None or not state.startswith(b"failed:"):
        return None
    kept: dict[str, Any] = codec.loads_trusted(state.removeprefix(b"failed:"))
    return of_code(kept["code"], kept.get("detail"), kept.get("errors")).problem(local_id)
