"""A live feed: each line of the standard input is an event. some-program | python examples/feed.py scores

What is a JSON object goes out as `data`, which programs read; everything as text, which people read. With the outbox
file nothing is lost when this program or the chat is killed: it goes out with the next start.
"""

import json
import os
import sys

from chatapp.client import Client


def publish(client: Client, room: str, line: str) -> None:
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    client.send(room, line[:4000], data if isinstance(data, dict) else None)


if __name__ == "__main__":
    room = sys.argv[1]
    url = os.environ.get("CHATAPP_URL", "http://127.0.0.1:8000")
    with Client(url, name="Feed", outbox=os.environ.get("FEED_OUTBOX", "feed.db")) as client:
        client.create_room(room)
        for line in sys.stdin:
            if line.strip():
                publish(client, room, line.rstrip("\n"))
        client.flush()
