"""A model's answer, which grows while it is written: python examples/answer.py general

Answers every message that begins with `?`, word by word. Killed and started again it goes on with the answer that it
had begun, and answers nothing twice.
"""

import os
import sys
import time
from collections.abc import Iterator

from chatapp.client import Client


def tokens(question: str) -> Iterator[str]:
    """In the place of a model."""
    for word in f"You asked: {question} I would say that it depends.".split():
        time.sleep(float(os.environ.get("TOKEN_SECONDS", "0.05")))
        yield word + " "


def answer(client: Client, room: str, message_id: str, question: str) -> None:
    with client.reply(room, {"replyTo": message_id}, local_id=f"answer-{message_id}") as reply:
        for token in tokens(question):
            reply.write(token)
        reply.finish()


if __name__ == "__main__":
    room = sys.argv[1]
    with Client(os.environ.get("CHATAPP_URL", "http://127.0.0.1:8000"), name="Oracle", outbox="oracle.db") as client:
        client.join(room)
        for event in client.listen([room], keep="questions"):
            if event.type == "message.created" and event.message.body.startswith("?"):
                answer(client, room, event.message.id, event.message.body.removeprefix("?").strip())
