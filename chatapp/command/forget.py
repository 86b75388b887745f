"""`chatapp forget`: takes a person out of the service, by their id."""

import click

from chatapp.command.opened import opened
from chatapp.command.progress import progress
from chatapp.keeping import Pace
from chatapp.keeping import forgetting


@click.command()
@click.argument("user")
@click.option("--dry-run", is_flag=True, help="Only say what would be withdrawn.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(user: str, *, dry_run: bool, yes: bool) -> None:
    """Forget USER, an id such as u_…: end all sessions and memberships, withdraw every message, take the name."""
    with opened() as service:
        person = service.database.read(lambda tx: forgetting.found(tx, user))
        if person is None:
            raise click.ClickException(f"there is no user {user!a}")
        if dry_run:
            withdrawn = sum(forgetting.messages(service.database, person.id))
            click.echo(f"would withdraw {withdrawn:,} messages of {person.id}, who is called {person.name}")
            return
        if not yes:
            click.confirm(f"Forget {person.name} ({person.id}) for good?", abort=True, err=True)
        pace, withdrawn = Pace(service.database), 0
        steps = forgetting.forget(service.database, service.live_log, person.id)
        with progress(steps, person.id, lambda: f"{withdrawn:,} messages") as bar:
            for count in bar:
                withdrawn += count
                pace.keep()
    click.echo(f"forgot {person.id}: {withdrawn:,} messages withdrawn")
