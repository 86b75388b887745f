"""Requests as the loads read them: whole ones, a line each, with \\r\\n written out.

`%T` becomes the moment of sending as @@ and twenty digits, `%N` a number of sixteen digits.
"""

import time

JSON = "application/json"
# What each message holds beside the moment when it was sent: a line of chat.
FILLING = "x" * 60
# What a peer carries is as long as what the service makes of a message.
MESSAGE = (
    '{"type":"message.created","cursor":"1763781234567-0","room":"bench","message":{"id":'
    '"01a20299-5e35-74d9-a739-d14fa34aed94","localId":"%N","room":"bench","sender":{"id":'
    '"u_01a202995e3574d9a739d14fa34aed94","name":"Sender"},"body":"%T FILLING","createdAt":'
    '"2026-11-22T10:00:00.123Z","status":"sent","cursor":"1763781234567-0","editedAt":null,"deletedAt":null}}'
).replace("FILLING", FILLING)


def get(path: str, token: str = "", **headers: str) -> str:
    return rf"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{_headers(token, headers)}\r\n"


def post(path: str, body: str, token: str = "", **headers: str) -> str:
    headers = {"Content-Type": JSON, "Content-Length": str(_length(body)), **headers}
    return rf"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{_headers(token, headers)}\r\n{body}"


def websocket() -> str:
    """To Socket.IO's address, without polling first. The key is the one of RFC 6455."""
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    return get("/socket.io/?EIO=4&transport=websocket", Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", **headers)


def short_message() -> str:
    """The body of a send to the service. The number is unique within a run of the load, the rest between runs."""
    return f'{{"localId":"{time.time_ns()}-%N","body":"%T {FILLING}"}}'


def _length(body: str) -> int:
    return len(body.replace("%T", "@@" + "0" * 20).replace("%N", "0" * 16))


def _headers(token: str, headers: dict[str, str]) -> str:
    if token:
        headers = {**headers, "Authorization": f"Bearer {token}"}
    return "".join(rf"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
