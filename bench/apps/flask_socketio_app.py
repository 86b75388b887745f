"""Flask-SocketIO: one namespace, everyone gets everything."""

from typing import Any

from flask import Flask
from flask import request
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent")


@app.post("/send")
def send() -> dict[str, Any]:
    socketio.emit("message.created", request.get_json())
    return {"status": "ok"}
