"""Settings: a wrong value stops the start with one line that names the setting."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chatapp.config import Config
from chatapp.config import ConfigError
from tests.support.service import ROOT

WRONG = {
    "PORT": "http",
    "WEB_CONCURRENCY": "0",
    "DATABASE_URL": "mysql://x/y",
    "REDIS_URL": "http://x",
    "CHATAPP_ENV": "staging",
    "CHATAPP_PROXIES": "-1",
    "CHATAPP_GUESTS": "maybe",
    "CHATAPP_GUESTS_PER_MINUTE": "0",
    "CHATAPP_ORIGINS": "example.org",
    "CHATAPP_JWT_PUBLIC_KEY": "/no/such/file",
    "CHATAPP_RATE_BURST": "1.5",
    "CHATAPP_RATE_PER_SECOND": "nan",
    "CHATAPP_LOG_MAXLEN": "-5",
    "CHATAPP_WINDOW": "",
    "CHATAPP_STREAM_SECONDS": "0",
    "CHATAPP_HEARTBEAT_SECONDS": "soon",
    "CHATAPP_MAX_CONNECTIONS_PER_USER": "x",
    "CHATAPP_MAX_CONNECTIONS": "0",
}


@pytest.mark.parametrize("name", [name for name, value in WRONG.items() if value])
def test_a_wrong_value_names_its_setting(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name}: ") as error:
        Config.from_environ({"CHATAPP_DATA": str(tmp_path), name: WRONG[name]})
    assert "\n" not in str(error.value)


def test_defaults_and_empty_values(tmp_path: Path) -> None:
    config = Config.from_environ({"CHATAPP_DATA": str(tmp_path), "CHATAPP_WINDOW": "", "REDIS_URL": ""})
    assert (config.host, config.port, config.workers) == ("127.0.0.1", 8000, 1)
    assert (config.rate_burst, config.rate_per_second, config.window, config.log_maxlen) == (20, 2.0, 10_000, 100_000)
    assert (config.stream_seconds, config.heartbeat_seconds) == (55.0, 15.0)
    assert config.sqlite_path == tmp_path / "chat.db"
    assert config.embedded_redis
    assert config.guests


def test_the_secret_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    first = Config.from_environ({"CHATAPP_DATA": str(tmp_path)}).secret_key
    assert Config.from_environ({"CHATAPP_DATA": str(tmp_path)}).secret_key == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert [one.name for one in tmp_path.iterdir()] == ["secret_key"]


def test_production_wants_a_secret(tmp_path: Path) -> None:
    settings = {"CHATAPP_DATA": str(tmp_path), "CHATAPP_ENV": "production"}
    with pytest.raises(ConfigError, match=r"^SECRET_KEY: "):
        Config.from_environ(settings)
    with pytest.raises(ConfigError, match=r"^SECRET_KEY: "):
        Config.from_environ({**settings, "SECRET_KEY": "short"})
    assert Config.from_environ({**settings, "SECRET_KEY": "a long enough secret"}).production


def test_production_wants_a_long_secret_of_the_host(tmp_path: Path) -> None:
    settings = {"CHATAPP_DATA": str(tmp_path), "CHATAPP_JWT_SECRET": "fifteen letters"}
    assert Config.from_environ(settings).jwt_secret == "fifteen letters"
    production = {**settings, "CHATAPP_ENV": "production", "SECRET_KEY": "a long enough secret"}
    with pytest.raises(ConfigError, match=r"^CHATAPP_JWT_SECRET: shorter than 16 characters$"):
        Config.from_environ(production)
    assert Config.from_environ({**production, "CHATAPP_JWT_SECRET": "sixteen letters!"}).jwt_secret
    assert Config.from_environ({**production, "CHATAPP_JWT_SECRET": ""}).jwt_secret is None


def test_origins_are_kept_as_browsers_write_them(tmp_path: Path) -> None:
    given = "https://App.Example:443/, http://[::0:1]:3000,,https://münchen.example, https://app.example"
    config = Config.from_environ({"CHATAPP_DATA": str(tmp_path), "CHATAPP_ORIGINS": given})
    assert config.origins == ("https://app.example", "http://[::1]:3000", "https://xn--mnchen-3ya.example")


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "https://a.example/x",
        "https://a.example//",
        "https://a.example?",
        "https://u:p@a.example",
        "https://*.example",
        "https://a.example:",
        "https://a.example:99999",
        "https://:80",
        "https://",
        "wss://a.example",
    ],
)
def test_what_is_no_origin_stops_the_start(tmp_path: Path, origin: str) -> None:
    with pytest.raises(ConfigError, match=r"^CHATAPP_ORIGINS: ") as error:
        Config.from_environ({"CHATAPP_DATA": str(tmp_path), "CHATAPP_ORIGINS": f"https://good.example,{origin}"})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_urls_take_psycopg(tmp_path: Path, scheme: str) -> None:
    config = Config.from_environ({"CHATAPP_DATA": str(tmp_path), "DATABASE_URL": f"{scheme}://u@h/d"})
    assert config.database_url == "postgresql+psycopg://u@h/d"


def test_a_long_data_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    config = Config.from_environ({"CHATAPP_DATA": str(deep)})
    assert len(os.fsencode(config.redis_socket)) <= 100


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"PORT": "http"}, "PORT"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "DATABASE_URL"),
        ({"CHATAPP_DATA": "/proc/none"}, "CHATAPP_DATA"),
        ({"HOST": "192.0.2.1"}, "HOST"),
    ],
)
def test_a_start_that_cannot_work_ends_with_one_line(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    env = {"PATH": os.environ["PATH"], "PORT": "0", "CHATAPP_DATA": str(tmp_path / "data"), **settings}
    gunicorn = Path(sys.executable).parent / "gunicorn"
    done = subprocess.run([gunicorn, "wsgi:app"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert named in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        env = {"PATH": os.environ["PATH"], "CHATAPP_DATA": str(tmp_path), "PORT": str(taken.getsockname()[1])}
        gunicorn = Path(sys.executable).parent / "gunicorn"
        done = subprocess.run([gunicorn, "wsgi:app"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "PORT: cannot listen on" in last
    assert "chat at" not in done.stderr
