"""Who a command is at a service: by a token, or as a guest who stays the same from one command to the next."""

import functools
import socket
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from typing import TypeVar
from urllib.parse import urlsplit

import click

from chatapp.client import Away
from chatapp.client import Client
from chatapp.command.ending import NoAnswer
from chatapp.command.ending import by_one_line
from chatapp.command.kept_guest import KeptGuest

REACH_WITHIN_S = 5.0
DEFAULT_URL = "http://127.0.0.1:8000"
Command = TypeVar("Command", bound=Callable[..., Any])


def options(command: Command) -> Command:
    """`--url`, `--token-file` and `--name`; to the command they are one argument, for `with visit() as client`.

    `visit(patient=True)` waits for a service that is just starting.
    """

    @click.option("--url", envvar="CHATAPP_URL", default=DEFAULT_URL, show_default=True, help="Where the service is.")
    @click.option("--name", envvar="CHATAPP_NAME", default="chatapp", show_default=True, help="As which guest.")
    @click.option("--token", envvar="CHATAPP_TOKEN", hidden=True)
    @click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Holds the token of a session or a host, instead of a guest. Or set CHATAPP_TOKEN.",
    )
    @functools.wraps(command)
    def opened(*args: Any, url: str, name: str, token: str | None, token_file: Path | None, **kwargs: Any) -> Any:
        given = _token_of(token_file) if token_file is not None else token
        return command(*args, visit=partial(_visit, url, name, given), **kwargs)

    return opened  # type: ignore[return-value]


def _token_of(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{file}: holds no token, but bytes") from None


@contextmanager
def _visit(url: str, name: str, token: str | None, *, patient: bool = False) -> Iterator[Client]:
    if not patient:
        reach(url)
    with by_one_line():
        kept = KeptGuest(url, name) if token is None else None
        client = Client(url, token) if kept is None else Client(url, kept.token, name=name)
        try:
            if kept is not None and not patient:
                # Before anything else: what follows may last, and be killed.
                client.me()
                kept.keep(client.token)
            yield client
        finally:
            # A command says by itself what it could not send.
            with suppress(Away):
                client.close(0)
            if kept is not None:
                kept.keep(client.token)


def reach(url: str) -> None:
    """At a wrong address nobody answers, however long one waits. Raises NoAnswer."""
    try:
        address = urlsplit(url)
        if address.username is not None:
            # That must not be in it, as the client will say: it is not to be shown.
            return
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=REACH_WITHIN_S).close()
    except (OSError, ValueError):
        raise NoAnswer(f"nothing answers at {url}: is --url right?") from None
