"""`/demo`: two people side by side, whose networks and whose worker a visitor can break. Only while developing."""

import os
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import render_template
from flask import request

from chatapp import origin
from chatapp.demo import SIDES
from chatapp.demo import SWITCHES
from chatapp.demo import Away
from chatapp.demo import State
from chatapp.demo import ask
from chatapp.errors import BadOrigin
from chatapp.errors import InvalidParameter
from chatapp.errors import NotFound
from chatapp.errors import Unauthenticated
from chatapp.errors import Unavailable
from chatapp.web import auth
from chatapp.web import entrance
from chatapp.web import session_cookie
from chatapp.web.answers import NOT_KEPT
from chatapp.web.answers import Answer
from chatapp.web.api.inputs import query_parameters
from chatapp.web.api.inputs import raw_document
from chatapp.web.current import services
from chatapp.web.documents import parameter
from chatapp.web.security_headers import policy

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

LOCAL = ("localhost", "127.0.0.1")
# Whoever stands in front of the service may let in the whole world.
OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
NUMBER_MAX_DIGITS = 15
# Whoever changes something is told of it by the log.
NO_LINES = int("9" * NUMBER_MAX_DIGITS)


@blueprint.before_request
def only_here() -> None:
    """For nobody but this machine, by names that no other site can have. Raises NotFound, BadOrigin."""
    offered = services().config.demo_socket.exists()
    if not offered or _host() not in LOCAL or any(name in request.headers for name in OF_PROXIES):
        raise NotFound
    if request.method not in auth.SAFE_METHODS:
        # Its own page alone: neither the pages in its frames nor those of CHATAPP_ORIGINS, and JSON like the API.
        auth.check_origin(services(), request.environ)
        if origin.canonical(request.headers.get("Origin", "")) != origin.at("http", request.host):
            raise BadOrigin


@blueprint.get("")
def page() -> Response:
    sides = _ask(do="look")["sides"]
    urls = {side["side"]: f"http://{_host()}:{side['port']}" for side in sides}
    response = make_response(
        render_template("demo.html", sides=sides, names=SIDES, urls=urls, workers=services().config.workers)
    )
    for side in sides:
        _sign_in(response, SIDES[side["side"]], side["port"])
    response.headers.extend([NOT_KEPT])
    response.headers["Content-Security-Policy"] = policy(frame_src=" ".join(urls.values()))
    return response


@blueprint.get("/log")
@query_parameters(after=parameter.text("The number of a line."))
def log() -> Response:
    """What happened after the line of this number, and how the switches stand."""
    auth.check_asker(services(), request.environ)
    after = request.args.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) <= NUMBER_MAX_DIGITS):
        raise InvalidParameter("after: the number of a line.")
    return _said(_ask(do="look", after=int(after)))


@blueprint.post("/switches")
def switch() -> Response:
    match raw_document(request.environ):
        case {"side": str(side), "switch": str(name), "on": bool(on)} if side in SIDES and name in SWITCHES:
            return _said(_ask(do="switch", side=side, switch=name, on=on, after=NO_LINES))
    raise InvalidParameter("Send side, switch and on.")


@blueprint.post("/kill")
def kill() -> Response:
    """SIGKILL for the workers, this one too: soon enough to be seen, late enough for this answer."""
    raw_document(request.environ)
    return _said(_ask(do="kill", after=NO_LINES))


def _said(state: State) -> Response:
    return Answer.json({**state, "worker": os.getpid()}).response()


def _ask(**wish: Any) -> State:
    """Raises Unavailable."""
    try:
        return ask(services().config.demo_socket, **wish)
    except Away:
        raise Unavailable("The demonstration's process does not answer.") from None


def _host() -> str:
    """The name by which the visitor found this page, which the frames have in common with it: for browsers that makes
    them one site, whose cookies travel."""
    here = origin.at("http", request.host)
    return (urlsplit(here).hostname or "") if here else ""


def _sign_in(response: Response, name: str, port: int) -> None:
    """Cookies know no ports: what is set here arrives there. Who comes back stays who they were."""
    cookie = session_cookie.name_at(port)
    token = request.cookies.get(cookie, "")
    try:
        services().sessions.identify(token)
    except Unauthenticated:
        signed_in, _ = entrance.guest(name, [token] if token else [])
        session_cookie.set_(response, signed_in, cookie)
