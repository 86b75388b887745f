"""`chatapp send`: one message, of words or of what is piped in."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import click

from chatapp.client import Away
from chatapp.client import Client
from chatapp.client import Message
from chatapp.client import Refused
from chatapp.client import Sending
from chatapp.command import visit as visits
from chatapp.command.ending import NoAnswer

# A service that is started again is back by then.
WAIT_S = 30.0
# Far above what a message holds, and little enough for what never ends.
PIPED_MAX_BYTES = 64 * 1024


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
    """Send WORDS to ROOM, or what comes on the standard input; joins a public room if need be. Prints the message's id.

    Exit status: 0 it is stored; 1 it was refused; 3 no answer: the outcome is open, and with the --local-id that is
    told then it can be sent again.
    """
    body = " ".join(words) if words else _piped()
    gives_up_s = time.monotonic() + wait
    with visit(patient=True) as client:
        sending = client.send(room, body, local_id=local_id)
        try:
            click.echo(_stored(client, sending, body, gives_up_s).id)
        except Away:
            again = f"to send the same again: --local-id={sending.local_id}"
            raise NoAnswer(f"no answer within {wait:g} s, the outcome is open; {again}") from None


def _stored(client: Client, sending: Sending, body: str, gives_up_s: float) -> Message:
    """Who is no member joins then: to join each time would cost one of the few joinings of a minute."""
    try:
        return sending.wait(gives_up_s - time.monotonic())
    except Refused as refusal:
        if refusal.code != "forbidden":
            raise
    client.join(sending.room)
    return client.send(sending.room, body, local_id=sending.local_id).wait(gives_up_s - time.monotonic())


def _piped() -> str:
    piped = sys.stdin.buffer.read(PIPED_MAX_BYTES + 1)
    if len(piped) > PIPED_MAX_BYTES:
        raise click.ClickException(f"what comes on the standard input is longer than {PIPED_MAX_BYTES} bytes")
    return piped.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
