"""A notification to one user: python examples/notify.py ada "Your parcel is here" [KEY]

The user has a room of their own, which stands in their token (host_app.py). KEY names what happened: said twice, it is
one notification.
"""

import hashlib
import os
import sys

from host_token import host_token

from chatapp.client import Client


def notify(client: Client, user: str, text: str, key: str | None = None) -> str:
    """The message's id, once it is stored."""
    local_id = hashlib.sha256(f"{user} {key}".encode()).hexdigest() if key else None
    data = {"kind": "notification"}
    return client.send(f"for-{user}", text, data, local_id=local_id).wait(timeout=60).id


if __name__ == "__main__":
    user, text, *key = sys.argv[1:]
    token = host_token(os.environ["CHATAPP_JWT_SECRET"], "notifier", "Notifications", [f"for-{user}"])
    with Client(os.environ.get("CHATAPP_URL", "http://127.0.0.1:8000"), token) as client:
        print(notify(client, user, text, *key))
