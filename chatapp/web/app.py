"""`create_app`: the WSGI application, Flask inside, with what stands around it."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from flask import Flask
from flask import Request
from flask.sessions import SessionInterface
from flask_migrate import Migrate
from sqlalchemy import Engine

from chatapp.config import Config
from chatapp.errors import ChatError
from chatapp.root import ROOT
from chatapp.services import Services
from chatapp.storage import MIGRATIONS
from chatapp.storage import db
from chatapp.storage import engine_options
from chatapp.storage import prepare
from chatapp.web import api
from chatapp.web import cross_origin
from chatapp.web import current
from chatapp.web import demo
from chatapp.web import lite
from chatapp.web import metrics
from chatapp.web import pages
from chatapp.web import problems
from chatapp.web import request_log
from chatapp.web import requests
from chatapp.web import security_headers
from chatapp.web.answers import Answer
from chatapp.web.assets import Assets
from chatapp.web.cross_origin import CrossOrigin
from chatapp.web.deadline import Deadline
from chatapp.web.documents import page as docs
from chatapp.web.forwarded import Forwarded
from chatapp.web.handover import Handover
from chatapp.web.hot_routes import HotRoutes
from chatapp.web.trailing_slash import TrailingSlash


class NoSessions(SessionInterface):
    """Flask's own sessions are not used, and would set up their signatures at every request."""

    def open_session(self, app: Flask, request: Request) -> None:
        return None


def create_app(config: Config | None = None) -> Flask:
    """The application. It connects to nothing before `services(app).start()`, which a worker calls.

    Raises ConfigError when a setting cannot work.
    """
    config = config or Config.from_environ()
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = Flask("chatapp", static_folder=str(ROOT / "static"), template_folder=str(ROOT / "templates"))
    app.session_interface = NoSessions()
    # A host's ids are often addresses; a redirect that joins their slashes would lead to somebody else.
    app.url_map.merge_slashes = False
    parts = app.extensions[current.NAME] = Services(config, _engine(app, config))
    assets = Assets(ROOT / "static", config.data)
    _register_views(app, config, assets)
    asked = app.extensions[requests.NAME] = requests.Requests(_around(assets.around(app.wsgi_app), config, parts))
    asked.on_answered.append(request_log.write)
    # The outermost: the others see an ordinary response.
    app.wsgi_app = Handover(asked, parts.detached)  # type: ignore[method-assign]
    return app


def _engine(app: Flask, config: Config) -> Engine:
    app.config.update(
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(config.database_url),
    )
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True)
    with app.app_context():
        engine = db.engine
    prepare(engine)
    return engine


def _register_views(app: Flask, config: Config, assets: Assets) -> None:
    # Which hosts it may name is for the proxy to say.
    app.config.update(SECRET_KEY=config.secret_key, TRUSTED_HOSTS=None)
    problems.register(app, lite.error_page)
    requests.register(app)
    api.register(app)
    pages.register(app, assets)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(lite.blueprint)
    app.register_blueprint(docs.blueprint)
    if config.demo:
        app.register_blueprint(demo.blueprint)
    security_headers.register(app)
    if config.origins:
        cross_origin.register(app, config.origins)


def _refusal(path: str, error: ChatError) -> Answer:
    """An error before Flask or after it, as the address has them."""
    return lite.bare_page(error) if lite.is_here(path) else problems.problem(error)


def _around(app: Callable[..., Iterable[bytes]], config: Config, parts: Services) -> Any:
    """What a request passes before Flask, from the inside out, once it has an id."""
    app = TrailingSlash(Deadline(HotRoutes(app, parts), _refusal))
    if config.origins:
        app = CrossOrigin(app, config.origins)
    if config.proxies:
        app = Forwarded(app, config.proxies)
    return app
