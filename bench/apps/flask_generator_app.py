"""Server-Sent Events in plain Flask: a generator and a queue for each stream, in one process."""

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

from flask import Flask
from flask import Response
from flask import request

app = Flask(__name__)
queues: set["SimpleQueue[str]"] = set()


@app.get("/stream")
def stream() -> Response:
    def events() -> Iterator[str]:
        queue: SimpleQueue[str] = SimpleQueue()
        queues.add(queue)
        try:
            yield "retry: 3000\n\n"
            while True:
                yield f"event: message.created\ndata: {queue.get()}\n\n"
        finally:
            queues.discard(queue)

    return Response(events(), mimetype="text/event-stream")


@app.post("/send")
def send() -> dict[str, Any]:
    text = request.get_data(as_text=True)
    for queue in list(queues):
        queue.put(text)
    return {"status": "ok"}
