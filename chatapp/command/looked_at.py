"""`chatapp check`."""

import sys

import click

from chatapp.command import check as checks

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command()
def check() -> None:
    """Say what is wrong before users do. Exit status 1 if anything is an error."""
    found = checks.findings()
    for finding in found:
        level, rest = str(finding).split(" ", 1)
        click.echo(f"{click.style(level, fg=COLOURS[level])} {rest}")
    sys.exit(1 if checks.failed(found) else 0)
