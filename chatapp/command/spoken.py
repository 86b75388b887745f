"""`Spoken`: events as lines for people to read."""

import click

from chatapp.client import Event
from chatapp.client import Message

# What is not the first line of a message stands below its text.
INDENT = "      "
# Whoever writes has one of these, by the id.
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_red")


class Spoken:
    """Times are those of this machine. A reply that grows is said once it is whole."""

    def __init__(self) -> None:
        self._growing: set[str] = set()

    def line(self, event: Event) -> str | None:
        """None for what people need not know."""
        if event.type == "message.created":
            return self._created(event.message)
        if event.type == "message.updated":
            return self._updated(event.message)
        if event.type in ("member.joined", "member.left"):
            return click.style(f"      * {event.data['user']['name']} {event.type.partition('.')[2]}", dim=True)
        if event.type == "room.deleted":
            return click.style("      * the room was deleted", dim=True)
        if event.type == "reset":
            return click.style("      * the service knows nothing of the position: going on from now", dim=True)
        return None

    def _created(self, message: Message) -> str | None:
        if message.growing:
            self._growing.add(message.id)
            return None
        return _said(message, "")

    def _updated(self, message: Message) -> str | None:
        if message.growing:
            return None
        if message.id in self._growing:
            self._growing.discard(message.id)
            return _said(message, "")
        return _said(message, " (edited)")


def _said(message: Message, how: str) -> str:
    at = f"{message.created_at.astimezone():%H:%M}"
    name = click.style(message.sender.name, fg=COLOURS[sum(message.sender.id.encode()) % len(COLOURS)])
    if message.deleted_at is not None:
        return click.style(f"{at} {message.sender.name} withdrew a message", dim=True)
    return f"{at} {name}{how}: " + message.body.replace("\n", f"\n{INDENT}")
