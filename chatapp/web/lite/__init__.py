"""The chat for browsers that run no script at all: pages and forms, at `/lite` and `/lite/<room>`."""

from chatapp.web.lite import log
from chatapp.web.lite import messages
from chatapp.web.lite import rooms
from chatapp.web.lite import session
from chatapp.web.lite.errors import bare_page
from chatapp.web.lite.errors import error_page
from chatapp.web.lite.page import blueprint
from chatapp.web.lite.page import is_here

__all__ = ["bare_page", "blueprint", "error_page", "is_here", "log", "messages", "rooms", "session"]
