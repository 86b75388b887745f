"""`chatapp tail`: what is said in a room, from a cursor on."""

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click

from chatapp.client import Client
from chatapp.client import Event
from chatapp.command import visit as visits
from chatapp.command.ending import INTERRUPTED
from chatapp.command.kept_position import KeptPosition
from chatapp.command.spoken import Spoken

LAST = 10
LAST_MAX = 199
BEGINNING = "0-0"


@click.command()
@click.argument("room")
@click.option(
    "-n", "last", type=click.IntRange(0, LAST_MAX), default=LAST, show_default=True, help="Begin so far back."
)
@click.option("--since", help="Begin behind this cursor instead; 0-0 is the beginning.")
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the position in this file, and begin there if it holds one.",
)
@click.option("--json", "as_json", is_flag=True, help="Each event as a line of JSON, as the protocol has it.")
@visits.options
def tail(
    room: str,
    last: int,
    since: str | None,
    keep: Path | None,
    as_json: bool,
    visit: Callable[..., AbstractContextManager[Client]],
) -> None:
    """Show what is said in ROOM until interrupted, over restarts and outages, without a gap."""
    position = KeptPosition(keep, since)
    say: Callable[[Event], str | None] = _json if as_json else Spoken().line
    with visit() as client:
        if position.cursor is None:
            # Kept at once: what is said before the first event is shown must not be passed over the next time.
            position.move(_beginning(client, room, last))
        try:
            for event in client.listen([room], since=position.cursor):
                if (line := say(event)) is not None:
                    click.echo(line)
                    sys.stdout.flush()
                if event.cursor is not None:
                    position.move(event.cursor)
        except KeyboardInterrupt:
            # It may have come while the position was being kept.
            position = KeptPosition(keep, position.cursor)
            click.echo(f"\nto go on: chatapp tail {room} --since {position.cursor}", err=True)
            sys.exit(INTERRUPTED)


def _beginning(client: Client, room: str, last: int) -> str:
    """The position behind which the last so many messages are."""
    page = client.history(room, limit=last + 1)
    if not last:
        return page.cursor
    if len(page.messages) <= last:
        return BEGINNING
    return page.messages[0].cursor or page.cursor


def _json(event: Event) -> str:
    return json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
