"""`chatapp config`: every setting, its value, and where that comes from."""

import json

import click

from chatapp.config import settings


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="As a JSON object of name, value and source.")
def config(as_json: bool) -> None:
    """Show every setting, its value, and where that comes from. Secrets are hidden."""
    found = settings()
    if as_json:
        click.echo(json.dumps({one.name: {"value": one.value, "source": one.source} for one in found}, indent=2))
        return
    names, values = (max(len(one[column]) for one in found) for column in (0, 1))
    for one in found:
        click.echo(click.style(f"{one.name:{names}}  {one.value:{values}}  {one.source}", bold=one.source != "default"))
