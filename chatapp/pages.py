"""The page: one HTML document and its modules, under a strict Content-Security-Policy."""

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import make_response
from flask import render_template
from flask import request

from chatapp.answer import SECURE

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@blueprint.get("/rooms/<room>")
def chat(room: str | None = None) -> Response:
    response = make_response(render_template("index.html", root=request.root_path))
    response.headers["Cache-Control"] = "no-cache"
    return response


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    for name, value in SECURE:
        response.headers.setdefault(name, value)
    return response
