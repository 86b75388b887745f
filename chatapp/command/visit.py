"""Who a command is at a service: by a token, or as a guest who stays the same from one command to the next."""

import functools
import hashlib
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
from chatapp.client import Unauthenticated
from chatapp.command.ending import NoAnswer
from chatapp.command.ending import by_one_line

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
        given = token_file.read_text().strip() if token_file is not None else token
        return command(*args, visit=partial(_visit, url, name, given), **kwargs)

    return opened  # type: ignore[return-value]


@contextmanager
def _visit(url: str, name: str, token: str | None, *, patient: bool = False) -> Iterator[Client]:
    if not patient:
        reach(url)
    with by_one_line():
        client = Client(url, token) if token is not None else _guest(url, name)
        try:
            yield client
        finally:
            # A command says by itself what it could not send.
            with suppress(Away):
                client.close(0)


def reach(url: str) -> None:
    """At a wrong address nobody answers, however long one waits. Raises NoAnswer."""
    try:
        address = urlsplit(url)
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=REACH_WITHIN_S).close()
    except (OSError, ValueError):
        raise NoAnswer(f"nothing answers at {url}: is --url right?") from None


def _guest(url: str, name: str) -> Client:
    """The guest of this name who was there before, or a new one, whose token is kept."""
    kept = _folder() / hashlib.sha256(f"{url}\n{name}".encode()).hexdigest()[:32]
    with suppress(OSError):
        client = Client(url, kept.read_text())
        try:
            client.me()
            return client
        except Unauthenticated:
            client.close()
    client = Client(url, name=name)
    client.me()
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept.touch(mode=0o600)
    kept.write_text(client.token or "")
    return client


def _folder() -> Path:
    return Path(click.get_app_dir("chatapp")) / "guests"
