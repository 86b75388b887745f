"""`open_folder`: a folder for servers that run as another user, who cannot go through pytest's own ones.

pytest closes those to others again whenever another run begins beside this one.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_folder() -> Iterator[Path]:
    """Gone afterwards, unless something fails within: then it is there to be looked at."""
    folder = Path(tempfile.mkdtemp(prefix="chat-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
