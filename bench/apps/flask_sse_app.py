"""Flask-SSE as its documentation has it: Redis carries every message to every stream."""

import os
from typing import Any

from flask import Flask
from flask import request
from flask_sse import sse

app = Flask(__name__)
app.config["REDIS_URL"] = os.environ["REDIS_URL"]
app.register_blueprint(sse, url_prefix="/stream")


@app.post("/send")
def send() -> dict[str, Any]:
    sse.publish(request.get_json(), type="message.created")
    return {"status": "ok"}
