"""An app of bench/apps under gunicorn, as a command."""

from pathlib import Path

APPS = Path(__file__).parent / "apps"


def command(python_folder: Path, app: str, port: int, *options: str) -> list[str]:
    """`app` is a module of bench/apps that has an `app`."""
    listening = ["-c", str(APPS / "gunicorn.conf.py"), "-b", f"127.0.0.1:{port}", "--chdir", str(APPS)]
    return [str(python_folder / "gunicorn"), *listening, *options, f"{app}:app"]
