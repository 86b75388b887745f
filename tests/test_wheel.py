"""The wheel is the whole service: installed into an empty venv, it serves from an empty folder."""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.person import Person
from tests.support.processes import Process
from tests.support.processes import answers
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.service import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, outside: dict[str, str]) -> Path:
    """The programs of a venv that holds the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    # What git has, so that a build leaves nothing behind in the source.
    tree = folder / "tree"
    tree.mkdir()
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, files.decode().split("\0")):
        if (ROOT / name).is_symlink() or (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name, follow_symlinks=False)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(tree)], check=True, env=outside)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "venv")
    python = str(folder / "venv" / "bin" / "python")
    install = [*pip, "--python", python, "install", "--no-compile", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, env=outside)
    # What it depends on is what these tests depend on: to install all of that once more took a minute. The way to this
    # source, which lies there too, is not taken: it is a file of the kind that only the first folder is read for.
    [packages] = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "venv" / "bin"


def test_it_imports_nothing_that_it_does_not_ask_for() -> None:
    asked_for: set[str] = set()
    waiting = [Requirement("chatapp[sentry,otel]")]
    while waiting:
        wanted = waiting.pop()
        asked_for.add(canonicalize_name(wanted.name))
        extras = wanted.extras or {""}
        for one in map(Requirement, metadata.requires(wanted.name) or ()):
            here = one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras)
            if here and canonicalize_name(one.name) not in asked_for:
                waiting.append(one)
    of = metadata.packages_distributions()
    used = {name: {canonicalize_name(one) for one in of[name]} for name in set(imported()) if name in of}
    assert {"flask", "sqlalchemy", "httpx", "redis"} <= used.keys()
    assert {name for name, owners in used.items() if not owners & asked_for} == set()


def imported() -> Iterator[str]:
    """The first part of the name of every module that the service imports."""
    for path in (ROOT / "chatapp").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


def test_it_serves_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    here = tmp_path / "here"
    here.mkdir()
    command = [str(installed / "chatapp"), "serve", "--port", str(port), "--workers", "2"]
    process = Process(command, tmp_path / "log", env, here)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{url}/readyz"), what="the service")
        assert {path.name for path in here.iterdir()} == {"instance"}
        python = str(installed / "python")
        found = subprocess.run(
            [python, "-c", "import chatapp; print(chatapp.__file__)"], cwd=here, stdout=subprocess.PIPE
        )
        assert found.stdout.decode().startswith(str(installed.parent))
        page = httpx.get(url).text
        for file in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
            assert httpx.get(f"{url}{file}").status_code == 200
        assert httpx.get(f"{url}/lite").status_code == 200
        with Person(url, "Ada") as ada, ada.stream() as stream:
            sent = ada.send("general", "from a wheel")
            assert stream.until("message.created").data["message"]["id"] == sent["id"]
        check = subprocess.run([str(installed / "chatapp"), "check"], cwd=here, env=env, capture_output=True, text=True)
        assert (check.returncode, [line for line in check.stdout.splitlines() if line.startswith("error")]) == (0, [])
    finally:
        process.stop()
    assert "Traceback" not in process.output()


def test_a_wrong_setting_is_one_line(installed: Path, tmp_path: Path) -> None:
    for name, value in (("PORT", "x"), ("WEB_CONCURRENCY", "many"), ("DATABASE_URL", "mysql://x")):
        env = {"PATH": os.environ["PATH"], name: value}
        command = [str(installed / "chatapp"), "serve"]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        assert re.fullmatch(rf"chatapp: {name}: .+\n", done.stderr)
        assert not list(tmp_path.iterdir()) or name != "PORT"
