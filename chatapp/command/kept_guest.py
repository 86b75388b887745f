"""`KeptGuest`: the token by which a guest of this name is the same one from one command to the next."""

import hashlib
from pathlib import Path

import click

from chatapp.command import kept_text


class KeptGuest:
    """`token` is None where there is none yet. Raises ClickException for a file that cannot be read."""

    def __init__(self, url: str, name: str) -> None:
        folder = Path(click.get_app_dir("chatapp")) / "guests"
        self._file = folder / hashlib.sha256(f"{url}\n{name}".encode(errors="surrogatepass")).hexdigest()[:32]
        self.token = kept_text.read(self._file)

    def keep(self, token: str | None) -> None:
        """Where that fails, what was done stands all the same: it is said, and the next command is another guest."""
        if token is None or token == self.token:
            return
        self.token = token
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept_text.write(self._file, token, mode=0o600)
        except OSError as error:
            _say(f"{self._file.parent}: {error.strerror or error}")
        except click.ClickException as error:
            _say(error.message)


def _say(trouble: str) -> None:
    click.echo(f"Warning: the next command will be another guest: {trouble}", err=True)
