"""`chatapp send`: one message, of words or of what is piped in."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import click

from chatapp.client import Client
from chatapp.command import visit as visits

# A service that is started again is back by then.
WAIT_S = 30.0


@click.command()
@click.argument("room")
@click.argument("words", nargs=-1)
@click.option("--local-id", help="Of your own choice, 8 to 64 of A-Z a-z 0-9 _ -: sent again, it is the same message.")
@click.option("--wait", type=click.FloatRange(min=0), default=WAIT_S, show_default=True, help="For how many seconds.")
@visits.options
def send(
    room: str,
    words: tuple[str, ...],
    local_id: str | None,
    wait: float,
    visit: Callable[..., AbstractContextManager[Client]],
) -> None:
    """Send WORDS to ROOM, or what comes on the standard input; joins a public room first. Prints the message's id.

    Exit status: 0 it is stored; 1 it was refused; 3 no answer: the outcome is open, and with the same --local-id it
    can be sent again.
    """
    body = " ".join(words) if words else sys.stdin.read().rstrip("\n")
    with visit(patient=True) as client:
        client.join(room)
        click.echo(client.send(room, body, local_id=local_id).wait(wait).id)
