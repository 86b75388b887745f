"""The wheel is the whole service: installed into an empty venv, it serves from an empty folder."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import httpx
import pytest

from tests.support.person import Person
from tests.support.processes import Process
from tests.support.processes import answers
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.service import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(tree)], check=True)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "venv")
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([*pip, "--python", python, "install", "--no-compile", str(wheel)], check=True)
    return folder / "venv" / "bin"


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
