"""The command `chatapp`. Each of its commands stands in a file of its own, which is loaded when it is wanted."""

import gc
import os
import sys
from importlib import import_module
from typing import IO
from typing import Any

import click

from chatapp.config import ConfigError
from chatapp.config import wants_no_colour

# By the name of the command. Some need the whole service, which takes a second to load; others nearly nothing.
MODULES = {
    "check": "looked_at",
    "completion": "completion",
    "config": "settings",
    "create-room": "create_room",
    "export": "export",
    "forget": "forget",
    "import": "import_",
    "prune": "prune",
    "replay": "replay",
    "send": "send",
    "serve": "serve",
    "tail": "tail",
    "token": "token",
    "upgrade": "upgrade",
}


class WrongSetting(click.ClickException):
    """As gunicorn says it, which reads the same settings."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"chatapp: {self.message}", file=file, err=True)


class Commands(click.Group):
    """A wrong setting is one line, and a reader who has enough is no failure, whichever command meets it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in MODULES:
            return None
        module = import_module(f"chatapp.command.{MODULES[cmd_name]}")
        return next(one for one in vars(module).values() if isinstance(one, click.Command) and one.name == cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        if wants_no_colour():
            ctx.color = False
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except ConfigError as error:
            raise WrongSetting(str(error)) from None
        except BrokenPipeError:
            # Whoever read the output has enough, as with `| head`; what is still to be written goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        return result


@click.group(cls=Commands)
@click.version_option(package_name="chatapp")
def chatapp() -> None:
    """Chat over plain HTTP: serve it, look after it, and talk in it.

    Exit status: 0 done, 1 refused or wrong, 2 called wrongly, 3 no answer.
    """


def main() -> None:
    try:
        chatapp(prog_name="chatapp")
    finally:
        # The end of a program looks at all that it has loaded, which takes as long as many a command: half a second.
        gc.freeze()
