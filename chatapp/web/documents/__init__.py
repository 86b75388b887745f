"""The documents of the API: OpenAPI for its calls, AsyncAPI for its events, and both as a page."""

from chatapp.web.documents import call
from chatapp.web.documents import parameter
from chatapp.web.documents.documents import Documents

__all__ = ["Documents", "call", "parameter"]
