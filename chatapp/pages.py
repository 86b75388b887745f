"""The page: one HTML document and its modules, under a strict Content-Security-Policy."""

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import make_response
from flask import render_template
from flask import request

blueprint = Blueprint("pages", __name__)

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


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
    """The same for every answer: what is no page runs nothing anyway."""
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
