"""What became of a send, as Redis remembers it for ten minutes: under which key, and in which words.

`claim:…` it is in flight, `done:<message id>` it was accepted, `failed:<problem>` it was refused.
"""

from collections.abc import Iterable
from typing import Any

from chatapp.wire import Entry
from chatapp.wire import codec

# The contract's ten minutes.
REMEMBER_S = 600


def send_key(user_id: str, local_id: str) -> str:
    return f"chat:send:{user_id}:{local_id}"


def accepted(entries: Iterable[Entry]) -> dict[str, str]:
    """What is to be remembered of the messages that these entries create, by key."""
    messages = [entry.body["message"] for entry in entries if entry.type == "message.created"]
    return {send_key(one["sender"]["id"], one["localId"]): f"done:{one['id']}" for one in messages}


def refused(problem: dict[str, Any]) -> bytes:
    return b"failed:" + codec.dumps(problem)


def in_flight(state: bytes | None) -> bool:
    return state is not None and state.startswith(b"claim:")


def problem_of(state: bytes | None) -> dict[str, Any] | None:
    """Why it was refused, if it was."""
    if state is None or not state.startswith(b"failed:"):
        return None
    found: dict[str, Any] = codec.loads_trusted(state.removeprefix(b"failed:"))
    return found
