"""The page: one HTML document and its modules, under a strict Content-Security-Policy."""

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import render_template
from flask import request

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@blueprint.get("/rooms/<room>")
def chat(room: str | None = None) -> Response:
    response = make_response(render_template("index.html", root=request.root_path))
    response.headers["Cache-Control"] = "no-cache"
    return response
