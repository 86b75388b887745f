"""A route that does nothing but answer."""

from typing import Any

from flask import Flask

app = Flask(__name__)


@app.post("/empty")
def post() -> dict[str, Any]:
    return {"status": "ok"}


@app.get("/empty")
def get() -> dict[str, Any]:
    return {"status": "ok"}
