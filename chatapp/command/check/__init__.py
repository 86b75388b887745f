"""`chatapp check`: what is wrong, said before users do. It looks; it starts, stops and makes nothing."""

import logging
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from threading import Thread
from urllib.parse import parse_qsl
from urllib.parse import unquote

from chatapp.command.check import descriptors
from chatapp.command.check import folder
from chatapp.command.check import postgres
from chatapp.command.check import redis_server
from chatapp.command.check import settings
from chatapp.command.check import sqlite_file
from chatapp.command.check import start
from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import Level
from chatapp.command.check.finding import error
from chatapp.command.check.finding import first_line
from chatapp.config import Config
from chatapp.config import ConfigError
from chatapp.runtime import raise_file_limit

# Each call has a bound of its own; this one covers what has none, such as a name server that is away.
LOOK_TIMEOUT_S = 10.0


def findings() -> list[Finding]:
    """Everything found, part by part. All parts are looked at in parallel."""
    # Whatever the service's own code logs about Redis or the database is a finding here.
    logging.disable(logging.CRITICAL)
    # gunicorn.conf.py does the same before it reads the settings; one default depends on it.
    raise_file_limit()
    try:
        config = Config.from_environ(keep_secret=False)
    except ConfigError as refused:
        setting, _, text = str(refused).partition(": ")
        return [error(setting, text)]
    database = postgres.look if config.sqlite_path is None else sqlite_file.look
    parts = [
        _Part("settings", settings.look, config),
        _Part("CHATAPP_DATA", folder.look, config),
        _Part("DATABASE_URL", database, config),
        _Part("REDIS_URL", redis_server.look, config),
        _Part("file limit", descriptors.look, config),
        _Part("gunicorn", start.look, config),
    ]
    deadline_s = time.monotonic() + LOOK_TIMEOUT_S
    for part in parts:
        part.start()
    found = [finding for part in parts for finding in part.until(deadline_s)]
    hidden = _secrets(config)
    return [one if one.level is Level.OK else replace(one, text=_without(hidden, one.text)) for one in found]


def failed(found: list[Finding]) -> bool:
    return any(finding.level is Level.ERROR for finding in found)


class _Part(Thread):
    """Looks at one part. Whatever happens to it is a finding. A daemon, so that one that hangs holds up nobody."""

    def __init__(self, part: str, look: Callable[[Config], Iterator[Finding]], config: Config) -> None:
        super().__init__(daemon=True)
        self._part = part
        self._look = look
        self._config = config
        self._found: list[Finding] = []

    def run(self) -> None:
        try:
            for finding in self._look(self._config):
                self._found.append(finding)
        except Exception as cause:
            self._found.append(error(self._part, f"cannot be checked: {type(cause).__name__}: {first_line(cause)}"))

    def until(self, deadline_s: float) -> list[Finding]:
        self.join(max(0.0, deadline_s - time.monotonic()))
        found = list(self._found)
        if self.is_alive():
            found.append(error(self._part, f"no answer within {LOOK_TIMEOUT_S:.0f} s: see that its address is right"))
        return found


def _secrets(config: Config) -> set[str]:
    """What must not be printed, whichever library quotes it."""
    hidden = {config.secret_key, config.jwt_secret or ""}
    for url in (config.database_url, config.redis_url):
        # By hand: an address that the parsers refuse has a password too, which is often why they refuse it.
        userinfo, at, _ = url.partition("://")[2].rpartition("@")
        if at:
            hidden.add(userinfo.partition(":")[2])
        hidden |= {value for name, value in parse_qsl(url.partition("?")[2]) if "pass" in name}
    return {form for secret in hidden for form in (secret, unquote(secret)) if form}


def _without(hidden: set[str], text: str) -> str:
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
