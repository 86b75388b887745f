"""Real-time messaging over plain HTTP: Server-Sent Events and long poll over one cursor."""

from pathlib import Path

from flask import Flask
from flask import Request
from flask.sessions import SessionInterface
from flask_cors import CORS
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from chatapp import api
from chatapp import errors
from chatapp import pages
from chatapp.api.direct import Direct
from chatapp.config import Config
from chatapp.database import engine_options
from chatapp.database import prepare
from chatapp.deadline import Deadline
from chatapp.detach import Detach
from chatapp.models import db
from chatapp.services import NAME
from chatapp.services import Services


class NoSessions(SessionInterface):
    """Flask's own sessions are not used, and would set up their signatures at every request."""

    def open_session(self, app: Flask, request: Request) -> None:
        return None


ROOT = Path(__file__).parent.parent
MIGRATIONS = Path(__file__).parent / "migrations"

CORS_HEADERS = ["Authorization", "Chat-User", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID"]
CORS_EXPOSED = ["Retry-After", "RateLimit", "RateLimit-Policy", "Idempotent-Replayed", "ETag"]


def create_app(config: Config | None = None) -> Flask:
    """The application. It connects to nothing before `services(app).start()`, which a worker calls.

    Raises ConfigError when a setting cannot work.
    """
    config = config or Config.from_environ()
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = Flask("chatapp", static_folder=str(ROOT / "static"), template_folder=str(ROOT / "templates"))
    app.config.update(
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(config.database_url),
        TRUSTED_HOSTS=None,
    )
    app.session_interface = NoSessions()
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True)
    with app.app_context():
        engine = db.engine
    prepare(engine)
    app.extensions[NAME] = Services(config, engine)
    errors.register(app)
    api.register(app)
    pages.register(app)
    if config.origins:
        CORS(
            app,
            resources={r"/api/*": {"origins": list(config.origins)}},
            supports_credentials=True,
            allow_headers=CORS_HEADERS,
            expose_headers=CORS_EXPOSED,
            methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            max_age=600,
        )
    app.wsgi_app = Direct(app.wsgi_app, app.extensions[NAME])  # type: ignore[method-assign]
    app.wsgi_app = Deadline(app.wsgi_app)  # type: ignore[method-assign]
    if config.proxies:
        trusted = config.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, trusted, trusted, trusted, 0, trusted)  # type: ignore[method-assign]
    app.wsgi_app = Detach(app.wsgi_app, app.extensions[NAME].detached)  # type: ignore[method-assign]
    return app
