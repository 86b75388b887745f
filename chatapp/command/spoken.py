"""`Spoken`: events as lines for people to read."""

from collections import OrderedDict
from datetime import datetime

import click

from chatapp.client import Event
from chatapp.client import Message

# What is not the first line of a message stands below its text.
INDENT = "      "
# Whoever writes has one of these, by the id.
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_red")
# How far apart the events of one message may be, in messages; beyond that one is said twice.
SAID_MAX = 1_000


class Spoken:
    """Times are those of this machine. A reply that grows is said once it is whole.

    An event from before brings its message as it is now: the later events of the message say nothing new then.
    """

    def __init__(self) -> None:
        # By the message's id: what was said of it.
        self._said: OrderedDict[str, tuple[str, datetime | None, datetime | None]] = OrderedDict()

    def line(self, event: Event) -> str | None:
        """None for what people need not know."""
        if event.type in ("message.created", "message.updated", "message.deleted"):
            return self._message(event.message)
        if event.type in ("member.joined", "member.left"):
            return click.style(f"      * {event.data['user']['name']} {event.type.partition('.')[2]}", dim=True)
        if event.type == "room.deleted":
            return click.style("      * the room was deleted", dim=True)
        if event.type == "reset":
            return click.style("      * the service knows nothing of the position: going on from now", dim=True)
        return None

    def _message(self, message: Message) -> str | None:
        now = (message.body, message.edited_at, message.deleted_at)
        if message.growing or self._said.get(message.id) == now:
            return None
        self._said[message.id] = now
        if len(self._said) > SAID_MAX:
            self._said.popitem(last=False)
        return _said(message)


def _said(message: Message) -> str:
    how = "" if message.edited_at is None else " (edited)"
    at = f"{message.created_at.astimezone():%H:%M}"
    name = click.style(message.sender.name, fg=COLOURS[sum(message.sender.id.encode()) % len(COLOURS)])
    if message.deleted_at is not None:
        return click.style(f"{at} {message.sender.name} withdrew a message", dim=True)
    return f"{at} {name}{how}: " + message.body.replace("\n", f"\n{INDENT}")
