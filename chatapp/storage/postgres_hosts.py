"""`PostgresHosts`: several servers under one address; each is tried for a part of the time, the last one that answered
first.

psycopg would try them in the order of the address, and give each the whole time-out: a silent one in front would take
most of what a request may take, each time.
"""

import math
from typing import Any
from typing import NamedTuple

import gevent
from sqlalchemy import Dialect
from sqlalchemy import Engine
from sqlalchemy import event

# Whoever does not answer within this time is left for the next one, however many there are.
HOST_TIMEOUT_MIN_S = 0.5
WANTED = "target_session_attrs"
LEFT_TO_PSYCOPG = frozenset({"hostaddr", "load_balance_hosts"})


class Host(NamedTuple):
    name: str
    port: str


class PostgresHosts:
    """The address says which of them may be taken by `target_session_attrs`; without it, one that can be written."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._last: Host | None = None

    def prepare(self, engine: Engine) -> None:
        event.listen(engine, "do_connect", self._connect)

    def _connect(self, dialect: Dialect, _record: Any, arguments: Any, parameters: dict[str, Any]) -> Any:
        hosts = _hosts(parameters)
        # psycopg knows these.
        if len(hosts) < 2 or parameters.keys() & LEFT_TO_PSYCOPG or parameters.get(WANTED) == "prefer-standby":
            return None
        bound_s = max(HOST_TIMEOUT_MIN_S, self._timeout_s / len(hosts))
        driver: Any = dialect.loaded_dbapi
        errors = []
        for host in sorted(hosts, key=lambda host: host != self._last):
            one = {WANTED: "read-write", **parameters, "host": host.name, "port": host.port}
            # For who does not run in a loop; psycopg takes whole seconds, and two at least.
            one["connect_timeout"] = math.ceil(bound_s)
            timeout = gevent.Timeout(bound_s)
            try:
                with timeout:
                    connection = dialect.connect(*arguments, **one)
            except driver.OperationalError as error:
                errors.append(f"{host.name}:{host.port}: {error}".splitlines()[0])
            except gevent.Timeout as expired:
                if expired is not timeout:
                    raise
                errors.append(f"{host.name}:{host.port}: no answer within {bound_s:g} s")
            else:
                self._last = host
                return connection
        raise driver.OperationalError("; ".join(errors))


def _hosts(parameters: dict[str, Any]) -> list[Host]:
    names = str(parameters.get("host", "")).split(",")
    ports = str(parameters.get("port", "")).split(",")
    # One port is that of all.
    return [
        Host(name, port) for name, port in zip(names, ports * len(names) if len(ports) == 1 else ports, strict=True)
    ]
