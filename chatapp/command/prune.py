"""`chatapp prune`: removes what is older than it is to be kept, while the service runs or not."""

import time
from collections.abc import Iterator
from itertools import chain

import click

from chatapp.command.age import Age
from chatapp.command.opened import Opened
from chatapp.command.opened import opened
from chatapp.command.progress import progress
from chatapp.keeping import DAY_S
from chatapp.keeping import PAUSE_S
from chatapp.keeping import Removed
from chatapp.keeping import old_messages
from chatapp.keeping import prune as round_of_pruning
from chatapp.keeping import rooms
from chatapp.keeping import tell_workers
from chatapp.keeping import until
from chatapp.wire import Cursor


@click.command()
@click.option("--older-than", "age_s", type=Age(), help="Messages of this age go: 90d, 12h, 4w. [CHATAPP_KEEP_DAYS]")
@click.option("--room", "names", multiple=True, metavar="NAME", help="Only what was said in this room, or several.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def prune(age_s: float | None, names: tuple[str, ...], *, dry_run: bool) -> None:
    """Remove old messages, sessions that ended, and guests who are gone.

    Without an age, by option or setting, no message goes. It may be ended at any time, and run again.
    """
    with opened() as service:
        if age_s is None and service.config.keep_days is not None:
            age_s = service.config.keep_days * DAY_S
        if names and age_s is None:
            raise click.UsageError("--room needs --older-than: which messages of it are old?")
        before = None if age_s is None else until(age_s)
        steps = _of_rooms(service, names, before, dry=dry_run) if names and before else None
        removed = _all(steps or round_of_pruning(service.database, before, dry=dry_run), dry=dry_run)
        if before is not None and not dry_run:
            # Also of what a round removed that came to no end.
            tell_workers(service.live_log, before)
    click.echo(f"{'would remove' if dry_run else 'removed'}: {removed}")


def _of_rooms(service: Opened, names: tuple[str, ...], before: Cursor, *, dry: bool) -> Iterator[Removed]:
    ids = service.database.read(lambda tx: rooms.ids(tx, names))
    for name in names:
        if name not in ids:
            raise click.ClickException(f"--room: there is no room {name}")
    return chain.from_iterable(
        old_messages.of_room(service.database, id_, before, dry=dry) for id_ in sorted(set(ids.values()))
    )


def _all(steps: Iterator[Removed], *, dry: bool) -> Removed:
    """Run them, with what was removed so far before the operator's eyes."""
    removed = Removed()
    # How many steps there are nobody knows before the last.
    with progress(steps, "looking" if dry else "pruning", lambda: str(removed)) as bar:
        for one in bar:
            removed += one
            if not dry and one:
                time.sleep(PAUSE_S)
    return removed
