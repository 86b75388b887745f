"""What a schema cannot say, as schemathesis asks for it: whose session ends, and what is taken already."""

import itertools
import os
from typing import Any

import httpx
import schemathesis

URL = os.environ["CHATAPP_TEST_URL"]
_numbers = itertools.count()


def _name_of(case: Any) -> str:
    return str(case.operation.definition.raw["operationId"])


@schemathesis.auth(refresh_interval=None)
class Session:
    """Ada's; a session that is to end is another one, since all that came after it would be 401."""

    def get(self, case: Any, context: Any) -> str:
        if _name_of(case) != "signOut":
            return os.environ["CHATAPP_TEST_TOKEN"]
        return str(httpx.post(f"{URL}/api/v1/session", json={"name": "Bob"}).json()["token"])

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    operation = _name_of(case)
    if case.meta is None or not case.meta.generation.mode.is_positive or not isinstance(case.body, dict):
        return
    if operation == "sendMessage" and "localId" in case.body:
        # One localId stands for one message for ever; schemathesis sends those again that it has seen in answers.
        case.body["localId"] = f"schemathesis-{next(_numbers)}"
    if operation == "changeRoom" and "owner" in case.body:
        case.body["owner"] = os.environ["CHATAPP_TEST_USER"]
