"""`Assets`: the page's files under an address that holds the hash of their tree, compressed, to be kept for a year."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from chatapp.web.bundle import bundle
from chatapp.web.security_headers import SECURITY_HEADERS

STYLES = ("base", "layout", "messages", "composer", "dialogs", "modes")
# What is served as it is, beside the two that are put together.
ALONE = (
    "js/page/early.js",
    "js/legacy.js",
    "js/demo.js",
    "css/legacy.css",
    "css/lite.css",
    "css/demo.css",
    "css/docs.css",
)
KEPT_VERSIONS = 4
_FINISHED = re.compile(r"[0-9a-f]{12}")
_VERSIONED = re.compile(r"/static/[0-9a-f]{12}/")


class Assets:
    """Makes the files in a folder once for each state of `static`, and serves them in front of an application.

    A page of another version, as during an update of several machines, is given the file of this version, to be asked
    for again. Raises ValueError when the modules cannot be put together.
    """

    def __init__(self, static: Path, data: Path) -> None:
        self.version = _hash_of(static)
        self._static = static
        self._folder = data / "assets" / self.version
        self._files: WhiteNoise | None = None

    def path(self, name: str) -> str:
        """The address of a file, below the root of the service."""
        return f"/static/{self.version}/{name}"

    def prepare(self) -> None:
        """Make the files, which takes a tenth of a second, unless they are there. A command that only looks at the
        service makes none."""
        if self._folder.is_dir():
            os.utime(self._folder)  # it is in use again, perhaps after a later version
        else:
            _make(self._static, self._folder)
        files = WhiteNoise(
            None,
            max_age=0,
            immutable_file_test=lambda _, url: self.version in url,
            add_headers_function=_secure,
            allow_all_origins=False,
        )
        for name in (self.version, "current"):
            files.add_files(str(self._folder), f"static/{name}")
        self._files = files

    def around(self, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """The application with the files in front of it."""

        def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if not environ["PATH_INFO"].startswith("/static/"):
                return app(environ, start_response)
            found = self._found(environ["PATH_INFO"])
            if found is None:
                return app(environ, start_response)
            answer: Iterable[bytes] = WhiteNoise.serve(found, environ, start_response)
            return answer

        return serve

    def _found(self, path: str) -> Any:
        if self._files is None:
            self.prepare()
        assert self._files is not None
        known = self._files.files
        return known.get(path) or known.get(_VERSIONED.sub("/static/current/", path))


def _secure(headers: Headers, _path: str, _url: str) -> None:
    for name, value in SECURITY_HEADERS:
        headers[name] = value


def _hash_of(static: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in static.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(static)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _make(static: Path, folder: Path) -> None:
    """Beside its place first: several workers may be at it, and a reader must never see half of it."""
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(static / "img", unfinished / "img")
    (unfinished / "page.js").write_text(bundle(static / "js" / "page" / "main.js"), "utf-8")
    styles = [(static / "css" / f"{name}.css").read_text("utf-8") for name in STYLES]
    (unfinished / "page.css").write_text("\n".join(styles), "utf-8")
    for name in ALONE:
        if (static / name).is_file():
            (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(static / name, unfinished / name)
    _compress(unfinished)
    try:
        unfinished.rename(folder)
    except OSError:
        shutil.rmtree(unfinished)  # another worker was quicker
        if not folder.is_dir():
            raise
    _drop_old(folder)


def _drop_old(kept: Path) -> None:
    """What earlier versions made, but for the last ones: their workers may still run."""
    made = [path for path in kept.parent.iterdir() if _FINISHED.fullmatch(path.name) and path != kept]
    made.sort(key=lambda path: path.stat().st_mtime)
    for old in made[: 1 - KEPT_VERSIONS]:
        shutil.rmtree(old, ignore_errors=True)


def _compress(folder: Path) -> None:
    compressor = Compressor(use_brotli=False, quiet=True)
    for path in [path for path in folder.rglob("*") if path.is_file() and compressor.should_compress(path.name)]:
        compressor.compress(str(path))
