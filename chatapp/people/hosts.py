"""`Hosts`: with which secret each host makes its sessions, as they tell each other in the database.

Where they differ, whoever is signed in at one host is nobody at the next, and no error of either says why.
"""

import hmac
import logging
import socket
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.config import Config
from chatapp.runtime import Loop
from chatapp.storage import Database
from chatapp.storage import Host
from chatapp.storage import ago
from chatapp.storage import insert_into

log = logging.getLogger(__name__)

SAY_INTERVAL_S = 30.0
# Whoever said nothing for this long is not there any more.
THERE_S = 4 * SAY_INTERVAL_S
KEPT_S = 86_400.0
READ_MAX = 100


def fingerprint(secret: str) -> str:
    """What tells secrets apart and not what they are: as of each token, 64 bits of an HMAC."""
    return hmac.digest(secret.encode(), b"chatapp: which secret this is", sha256).hex()[:16]


def differing(hosts: Sequence[Host], secret: str) -> list[str]:
    """The names of those with another secret than this."""
    return sorted(host.name for host in hosts if host.secret != fingerprint(secret))


def there(tx: Transaction) -> Sequence[Host]:
    """The hosts that are there now, at most READ_MAX."""
    recently = select(Host).where(Host.seen_at > ago(THERE_S)).order_by(Host.seen_at.desc()).limit(READ_MAX)
    return tx.scalars(recently).all()


class Hosts:
    """A service on SQLite is the only one there is."""

    def __init__(self, config: Config, database: Database) -> None:
        self._config = config
        self._database = database
        self._name = f"{socket.gethostname()}:{config.port}"
        self._told: list[str] = []
        self._loop = Loop("hosts", self._look, interval_s=SAY_INTERVAL_S)

    def start(self) -> None:
        if self._database.dialect == "postgresql":
            self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def _look(self) -> None:
        hosts = self._database.write(self._say)
        others = differing(hosts, self._config.secret_key)
        if others and others != self._told:
            log.error(
                "SECRET_KEY: another one than on this host, %s, is set on %s: who is signed in there is not so here",
                self._name,
                ", ".join(others),
            )
        self._told = others

    def _say(self, tx: Transaction) -> Sequence[Host]:
        mine = {"secret": fingerprint(self._config.secret_key), "seen_at": ago()}
        said = insert_into(tx, Host).values(name=self._name, **mine)
        tx.execute(said.on_conflict_do_update(index_elements=[Host.name], set_=mine))
        tx.execute(delete(Host).where(Host.seen_at < ago(KEPT_S)))
        return there(tx)
