"""What belongs to the request under way: the services of its application, and who asks."""

from flask import Flask
from flask import current_app
from flask import g
from flask import request

from chatapp.people import Identity
from chatapp.services import Services
from chatapp.web import auth

NAME = "chatapp"


def services(app: Flask | None = None) -> Services:
    """The services of this application."""
    found: Services = (app or current_app).extensions[NAME]
    return found


def reader(units: float = 1.0) -> Identity:
    """Who asks, for something to read that costs so much of their rate. Raises like `identity`, and RateLimited."""
    found = identity()
    services().read_rate.charge(found.id, units)
    return found


def identity() -> Identity:
    """Who asks. Raises Unauthenticated, BadOrigin."""
    if "identity" not in g:
        g.identity = auth.identify(services(), request.environ)
    found: Identity = g.identity
    return found
