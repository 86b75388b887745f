"""HTTP: the application, its addresses, and how errors and answers look there."""

from chatapp.web import hot_routes
from chatapp.web.answers import response_head
from chatapp.web.app import create_app
from chatapp.web.current import services
from chatapp.web.deadline import CLOSE
from chatapp.web.deadline import WAITING
from chatapp.web.deadline import body_max_bytes
from chatapp.web.handover import HandedOver
from chatapp.web.pages import prepare as prepare_pages
from chatapp.web.requests import Answered
from chatapp.web.requests import of as requests

__all__ = [
    "CLOSE",
    "WAITING",
    "Answered",
    "HandedOver",
    "body_max_bytes",
    "create_app",
    "hot_routes",
    "prepare_pages",
    "requests",
    "response_head",
    "services",
]
