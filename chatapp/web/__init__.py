"""HTTP: the application, its addresses, and how errors and answers look there."""

from chatapp.web import hot_routes
from chatapp.web.answers import response_head
from chatapp.web.app import ROOT
from chatapp.web.app import create_app
from chatapp.web.current import services
from chatapp.web.handover import HandedOver

__all__ = ["ROOT", "HandedOver", "create_app", "hot_routes", "response_head", "services"]
