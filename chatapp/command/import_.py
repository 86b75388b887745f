"""`chatapp import`: what was said elsewhere, into rooms of its own."""

from collections.abc import Iterator
from pathlib import Path

import click

from chatapp.command.opened import opened
from chatapp.command.progress import progress
from chatapp.keeping import ImportRefused
from chatapp.keeping import Refused
from chatapp.keeping import RoomImport
from chatapp.keeping import Said
from chatapp.keeping import sources
from chatapp.storage import Database

# More are counted.
TOLD_MAX = 20
KINDS = ("auto", *sources.READERS)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--room", help="Into which room, instead of the one that FILE names.")
@click.option("--channel", help="Only what was said in this room of FILE.")
@click.option("--format", "kind", type=click.Choice(KINDS), default="auto", show_default=True)
@click.option("--private", is_flag=True, help="Leave new rooms private, for the host's tokens; else they are public.")
def import_(file: Path, room: str | None, channel: str | None, kind: str, *, private: bool) -> None:
    """Import FILE: an export of chatapp (JSON Lines), Slack (zip or folder) or Mattermost (bulk export), or an IRC log.

    Into rooms that are new, or that only an import has filled so far. Run again, it changes nothing.
    """
    with opened() as service:
        try:
            kind = sources.kind_of(file) if kind == "auto" else kind
            import_into = _Import(service.database, kind, room, channel)
            import_into.run(sources.READERS[kind](file), public=not private)
        except (sources.SourceFault, ImportRefused) as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            raise click.ClickException(f"{file}: {error.strerror or error}") from None
    import_into.tell()


class _Import:
    """All rooms of one source, each when its first message comes."""

    def __init__(self, database: Database, kind: str, room: str | None, channel: str | None) -> None:
        self._database = database
        self._kind = kind
        self._room = room
        self._channel = channel
        self._rooms: dict[str, RoomImport] = {}
        self._refused: list[Refused] = []
        self._refusals = self._taken = 0

    def run(self, found: Iterator[Said | Refused], *, public: bool) -> None:
        """Raises SourceFault, ImportRefused, OSError, Unavailable."""
        with progress(found, self._kind, lambda: f"{self._taken:,} messages") as bar:
            for one in bar:
                refused = one if isinstance(one, Refused) else self._take(one)
                if refused is not None:
                    self._refusals += 1
                    self._refused += [refused][: TOLD_MAX - len(self._refused)]
        for room in self._rooms.values():
            room.finish(public=public)

    def _take(self, said: Said) -> Refused | None:
        if self._channel is not None and said.room != self._channel:
            return None
        self._taken += 1
        if said.room not in self._rooms:
            if self._room is not None and self._rooms:
                names = ", ".join([*self._rooms, said.room])
                raise ImportRefused(f"there are several rooms in it ({names}): choose one with --channel")
            self._rooms[said.room] = RoomImport(self._database, self._kind, self._room or said.room)
        return self._rooms[said.room].take(said)

    def tell(self) -> None:
        """What came of it, and what was refused."""
        for name, room in self._rooms.items():
            click.echo(f"{self._room or name}: {room.new:,} imported, {room.known:,} were there before")
        if not self._rooms:
            click.echo("nothing was said in it")
        for one in self._refused:
            click.echo(f"line {one.line}: {one.reason}", err=True)
        if self._refusals > len(self._refused):
            click.echo(f"and {self._refusals - len(self._refused):,} more", err=True)
