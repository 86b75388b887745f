"""`chatapp create-room`."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import click

from chatapp.client import Client
from chatapp.command import visit as visits


@click.command("create-room")
@click.argument("room")
@click.option("--title", help="What people see; otherwise the name.")
@click.option("--private", is_flag=True, help="Only those whom a member invites may read it.")
@visits.options
def create_room(
    room: str, title: str | None, private: bool, visit: Callable[..., AbstractContextManager[Client]]
) -> None:
    """Make ROOM, a name of a-z 0-9 and -; one's own of that name will do. Exit status 1 where it is somebody else's."""
    with visit() as client:
        click.echo(client.create_room(room, title, private=private).name)
