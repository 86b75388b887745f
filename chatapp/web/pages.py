"""The page, and the one for old browsers; its manifest and its service worker: under a strict policy of content."""

import json
from pathlib import Path

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import current_app
from flask import make_response
from flask import render_template
from flask import request

from chatapp.web.assets import Assets

blueprint = Blueprint("pages", __name__)

# What the page needs to start without the server, besides itself.
SHELL = ("page.css", "page.js", "js/page/early.js", "img/favicon.svg")


def register(app: Flask, assets: Assets) -> None:
    """Add the pages to an application, and `asset(name)`, the address of a file, to its templates."""
    app.extensions["assets"] = assets
    app.context_processor(lambda: {"asset": _asset})
    app.register_blueprint(blueprint)


def prepare(app: Flask) -> None:
    """Make what the pages consist of, before the first request waits for it."""
    found: Assets = app.extensions["assets"]
    found.prepare()


@blueprint.get("/")
@blueprint.get("/rooms/<room>")
def chat(room: str | None = None) -> Response:
    return _unkept(make_response(render_template(_template(), root=request.root_path)))


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    icons = [
        {"src": _asset("img/favicon.svg"), "type": "image/svg+xml", "sizes": "any"},
        {"src": _asset("img/touch.png"), "type": "image/png", "sizes": "180x180"},
    ]
    document = {
        "name": "Chat",
        "short_name": "Chat",
        "start_url": f"{request.root_path}/",
        "scope": f"{request.root_path}/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#10695e",
        "icons": icons,
    }
    return _unkept(Response(json.dumps(document), mimetype="application/manifest+json"))


@blueprint.get("/service_worker.js")
def service_worker() -> Response:
    """At the root of the service, because a worker serves what lies below its own address.

    Its text changes with the version of the page, by which browsers know that there is another one.
    """
    facts = {"root": request.root_path, "version": _assets().version, "shell": [_asset(name) for name in SHELL]}
    script = (Path(str(current_app.static_folder)) / "js" / "service_worker.js").read_text("utf-8")
    return _unkept(Response(f"self.PAGE = {json.dumps(facts)};\n{script}", mimetype="text/javascript"))


def _assets() -> Assets:
    found: Assets = current_app.extensions["assets"]
    return found


def _asset(name: str) -> str:
    return request.root_path + _assets().path(name)


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-cache"
    return response


def _template() -> str:
    """Whoever asks for long poll gets the page that needs nothing newer; browsers without modules ask by themselves."""
    return "legacy.html" if request.args.get("transport") == "poll" else "index.html"
