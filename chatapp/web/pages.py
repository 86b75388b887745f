"""The page: one HTML document and its modules, under a strict Content-Security-Policy; and the one for old browsers."""

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import render_template
from flask import request

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@blueprint.get("/rooms/<room>")
def chat(room: str | None = None) -> Response:
    response = make_response(render_template(_template(), root=request.root_path))
    response.headers["Cache-Control"] = "no-cache"
    return response


def _template() -> str:
    """Whoever asks for long poll gets the page that needs nothing newer; browsers without modules ask by themselves."""
    return "legacy.html" if request.args.get("transport") == "poll" else "index.html"
