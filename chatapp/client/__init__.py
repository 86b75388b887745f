"""A client of the service for Python programs: `Client`, and `AsyncClient` for asyncio. docs/client.md shows it.

It needs httpx and nothing else, of this package either: a program may take this folder alone.
"""

from chatapp.client.aio.client import AsyncClient
from chatapp.client.aio.listener import AsyncListener
from chatapp.client.aio.reply import AsyncReply
from chatapp.client.aio.sending import AsyncSending
from chatapp.client.errors import Away
from chatapp.client.errors import ChatError
from chatapp.client.errors import Closed
from chatapp.client.errors import OutboxFull
from chatapp.client.errors import OutboxInUse
from chatapp.client.errors import OutboxOfAnother
from chatapp.client.errors import Refused
from chatapp.client.errors import ReplyEnded
from chatapp.client.errors import Unauthenticated
from chatapp.client.event import Event
from chatapp.client.message import Message
from chatapp.client.message import User
from chatapp.client.problem import Problem
from chatapp.client.room import Page
from chatapp.client.room import Room
from chatapp.client.threads.client import Client
from chatapp.client.threads.listener import Listener
from chatapp.client.threads.reply import Reply
from chatapp.client.threads.sending import Sending

__all__ = [
    "AsyncClient",
    "AsyncListener",
    "AsyncReply",
    "AsyncSending",
    "Away",
    "ChatError",
    "Client",
    "Closed",
    "Event",
    "Listener",
    "Message",
    "OutboxFull",
    "OutboxInUse",
    "OutboxOfAnother",
    "Page",
    "Problem",
    "Refused",
    "Reply",
    "ReplyEnded",
    "Room",
    "Sending",
    "Unauthenticated",
    "User",
]
