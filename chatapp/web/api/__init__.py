"""The HTTP interface: each view loads, calls one use case, and dumps."""

from flask import Blueprint
from flask import Flask

from chatapp.web.api import documents
from chatapp.web.api import durable
from chatapp.web.api import events
from chatapp.web.api import health
from chatapp.web.api import messages
from chatapp.web.api import rooms
from chatapp.web.api import session
from chatapp.web.api.inputs import refuse_unknown_parameters


def register(app: Flask) -> None:
    """Put every resource at its address."""
    app.url_map.converters["message"] = messages.MessageId
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    for resource in (session, rooms, messages, events, durable, documents):
        api.register_blueprint(resource.blueprint)
    api.after_request(messages.add_rate_limit)
    app.register_blueprint(api)
    app.register_blueprint(health.blueprint)
    documents.register(app)
    app.before_request(refuse_unknown_parameters)
