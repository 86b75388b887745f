"""`chatapp export`: a room as JSON Lines, or as a page to read."""

from collections.abc import Iterator
from typing import Any

import click

from chatapp.command.opened import opened
from chatapp.command.progress import progress
from chatapp.command.whole_file import whole_file
from chatapp.keeping import ManyWaiting
from chatapp.keeping import documents
from chatapp.keeping import html_page
from chatapp.keeping import rooms
from chatapp.wire import codec


@click.command()
@click.argument("room")
@click.option("--format", "form", type=click.Choice(["jsonl", "html"]), default="jsonl", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False), default="-", help="Where to write, instead of stdout.")
def export(room: str, form: str, output: str) -> None:
    """Write what was said in ROOM: one message a line as the API shows it (chatapp import takes it), or as HTML."""
    with opened() as service:
        room_id = service.database.read(lambda tx: rooms.ids(tx, [room])).get(room)
        if room_id is None:
            raise click.ClickException(f"there is no room {room}")
        count = 0
        pages = progress(documents(service.database, room_id), room, lambda: f"{count:,} messages")

        def said(found: Iterator[list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
            nonlocal count
            for page in found:
                count += len(page)
                yield from page

        try:
            with pages as shown, whole_file(output) as file:
                messages = said(iter(shown))
                for part in html_page.page(room, messages) if form == "html" else map(_line, messages):
                    file.write(part.encode())
        except ManyWaiting as error:
            raise click.ClickException(str(error)) from None


def _line(document: dict[str, Any]) -> str:
    return codec.dumps(document).decode() + "\n"
