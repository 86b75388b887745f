"""`chatapp serve`: the whole service, from whatever folder it is started in."""

import os
import sys

import click

from chatapp.config import Config
from chatapp.root import ROOT


@click.command()
@click.option("--host", help="Where to listen, instead of HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of PORT.")
@click.option("--workers", type=click.IntRange(1, 256), help="Instead of WEB_CONCURRENCY.")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Serve until told to end. Settings come from the environment; the data folder is instance/ in this folder."""
    chosen = {"HOST": host, "PORT": port, "WEB_CONCURRENCY": workers}
    os.environ.update({name: str(value) for name, value in chosen.items() if value is not None})
    # A wrong setting ends it here, by one line; gunicorn's own reading of WEB_CONCURRENCY would be a traceback.
    Config.from_environ()
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "--pythonpath", str(ROOT)]
    # This process becomes gunicorn: whoever started it ends it by the same number.
    os.execv(sys.executable, [*command, "--config", str(ROOT / "gunicorn.conf.py")])
