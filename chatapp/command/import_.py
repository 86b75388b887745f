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
    if not (file.is_file() or file.is_dir()):
        raise click.ClickException(f"{file}: it is read twice, so it must be a file")
    with opened() as service:
        try:
            kind = sources.kind_of(file) if kind == "auto" else kind
            import_into = _Import(service.database, kind, room, channel, private=private)
            import_into.plan(sources.READERS[kind](file))
            import_into.run(sources.READERS[kind](file))
        except (sources.SourceFault, ImportRefused) as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            raise click.ClickException(f"{file}: {error.strerror or error}") from None
    import_into.tell()


# The room that it becomes, and what it is called there.
Channel = tuple[str, str]


class _Import:
    """All rooms of one source, each when its first message comes."""

    def __init__(self, database: Database, kind: str, room: str | None, channel: str | None, *, private: bool) -> None:
        self._database = database
        self._kind = kind
        self._room = room
        self._channel = channel
        self._private = private
        self._wanted: set[Channel] = set()
        self._rooms: dict[str, RoomImport] = {}
        self._refused: list[Refused] = []
        # Rooms that stay as they are, and why.
        self._closed: list[str] = []
        self._refusals = self._taken = self._left_out = 0

    def plan(self, found: Iterator[Said | Refused]) -> None:
        """Decide which channel comes into which room, before anything is written. Raises SourceFault, ImportRefused,
        OSError."""
        private: dict[Channel, bool] = {}
        with progress(found, "looking", lambda: "") as bar:
            for one in bar:
                if isinstance(one, Said):
                    private[one.room, one.channel] = one.private
        # By the name that it has there, or else by the room's.
        named = [one for one in private if self._channel == one[1]] or [
            one for one in private if self._channel == one[0]
        ]
        self._wanted = set(private if self._channel is None else named)
        channels: dict[str, str] = {}
        for room, channel in private:
            if (room, channel) in self._wanted and (self._private or not private[room, channel]):
                if room in channels:
                    raise ImportRefused(
                        f"{channels[room]} and {channel} would both be the room {room}:"
                        " take each with --channel, and give it a name with --room"
                    )
                channels[room] = channel
        if self._room is not None and len(channels) > 1:
            raise ImportRefused(f"there are several rooms in it ({', '.join(channels)}): choose one with --channel")
        for name, channel in channels.items():
            # What a name of its own does not tell.
            title = channel if name.startswith(sources.NAMELESS_PREFIX) else None
            self._rooms[name] = RoomImport(self._database, self._kind, self._room or name, title)

    def run(self, found: Iterator[Said | Refused]) -> None:
        """Raises SourceFault, ImportRefused, OSError, Unavailable."""
        with progress(found, self._kind, lambda: f"{self._taken:,} messages") as bar:
            for one in bar:
                refused = one if isinstance(one, Refused) else self._take(one)
                if refused is not None:
                    self._refusals += 1
                    self._refused += [refused][: TOLD_MAX - len(self._refused)]
        for room in self._rooms.values():
            try:
                room.finish(public=not self._private)
            except ImportRefused as error:
                # The others are complete all the same.
                self._closed.append(str(error))

    def _take(self, said: Said) -> Refused | None:
        if (said.room, said.channel) not in self._wanted:
            return None
        if said.private and not self._private:
            self._left_out += 1
            return None
        self._taken += 1
        return self._rooms[said.room].take(said)

    def tell(self) -> None:
        """What came of it, and what was refused. Raises ClickException if a room was not opened."""
        for name, room in self._rooms.items():
            click.echo(f"{self._room or name}: {room.new:,} imported, {room.known:,} were there before")
        if not self._rooms:
            click.echo("nothing was said in it")
        if self._left_out:
            click.echo(f"{self._left_out:,} of private channels were left out: --private takes them", err=True)
        for one in self._refused:
            click.echo(f"line {one.line}: {one.reason}", err=True)
        if self._refusals > len(self._refused):
            click.echo(f"and {self._refusals - len(self._refused):,} more", err=True)
        if self._closed:
            raise click.ClickException("; ".join(self._closed))
