"""`redis_pool`: connections to one Redis, at its own address or where its Sentinels say that it is.

Everything that depends on more of redis-py's pools than its documentation promises.

What would break it, in a new version of redis-py: the pool of Sentinels takes other arguments, or keeps its connections
by another name than `_connections`, or its connections take no `disconnect_on_error`; a `Sentinel` keeps its own by
another name than `sentinels`.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import unquote
from urllib.parse import urlsplit

from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel
from redis.sentinel import SentinelConnectionPool
from redis.sentinel import SentinelManagedConnection
from redis.sentinel import SentinelManagedSSLConnection

SENTINEL_PORT = 26379
# One that is silent is left for the next, which is then asked first.
SENTINEL_TIMEOUT_S = 0.25
# Of this redis-py gives no types.
_parse_url: Callable[[str], dict[str, Any]] = parse_url


class _Connection(SentinelManagedConnection):
    """Closed where its answer is not waited for to the end, like all others: it would be taken for the next one's."""

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        return super().read_response(*arguments, **{"disconnect_on_error": True, **options})


class _TlsConnection(SentinelManagedSSLConnection):
    def read_response(self, *arguments: Any, **options: Any) -> Any:
        return super().read_response(*arguments, **{"disconnect_on_error": True, **options})


class _Sentinels(Sentinel):
    """It puts the one that answered first; where two ask at once, another one may be lost by that."""

    def __init__(self, hosts: list[tuple[str, int]], options: dict[str, Any]) -> None:
        super().__init__(hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
        self._all = list(self.sentinels)

    def discover_master(self, service_name: str) -> Any:
        try:
            return super().discover_master(service_name)  # type: ignore[no-untyped-call]
        finally:
            if len(set(map(id, self.sentinels))) < len(self._all):
                self.sentinels = list(self._all)


class _SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Whoever finds all connections in use waits for one, as in any other pool here."""

    def __init__(self, name: str, manager: Any, **options: Any) -> None:
        super().__init__(name, manager, **options)  # type: ignore[no-untyped-call]

    def release(self, connection: Any) -> None:
        owned = self.owns_connection(connection)  # type: ignore[no-untyped-call]
        super().release(connection)  # type: ignore[no-untyped-call]
        if not owned:
            # Of a server that is not the primary, or of none that was found. It would be remembered for ever.
            with suppress(ValueError):
                self._connections.remove(connection)


def redis_pool(url: str, *, most: int, timeout_s: float, connect_timeout_s: float) -> BlockingConnectionPool:
    """Connections that never resend by themselves what was not answered in time. Raises ValueError for the URL.

    `redis+sentinel://user:password@host:port,host:port/name/database`: user, password and database are the server's
    own; those of the Sentinels are `?sentinel_username=…&sentinel_password=…`. With `rediss+sentinel` all speak TLS.
    """
    options: dict[str, Any] = {
        "max_connections": most,
        "timeout": timeout_s,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": connect_timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    scheme, _, rest = url.partition("+sentinel://")
    if not rest:
        return BlockingConnectionPool.from_url(url, **options)
    return _by_sentinels(scheme, rest, options)


def _by_sentinels(scheme: str, rest: str, options: dict[str, Any]) -> BlockingConnectionPool:
    parts = urlsplit(f"//{rest}")
    user, at, hosts = parts.netloc.rpartition("@")
    name, _, database = parts.path.removeprefix("/").partition("/")
    # What else stands behind the question mark is redis-py's own, as in any other address.
    server = _parse_url(f"{scheme}://{user}{at}server/{database}?{parts.query}")
    del server["host"]
    asked = {
        "socket_timeout": SENTINEL_TIMEOUT_S,
        "socket_connect_timeout": SENTINEL_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        "username": server.pop("sentinel_username", None),
        "password": server.pop("sentinel_password", None),
    }
    server["connection_class"] = _TlsConnection if scheme == "rediss" else _Connection
    if scheme == "rediss":
        asked |= {"ssl": True, **{key: value for key, value in server.items() if key.startswith("ssl_")}}
    manager = _Sentinels([_address(host) for host in hosts.split(",")], asked)
    return _SentinelPool(unquote(name), manager, **{**server, **options})


def _address(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise ValueError("a Sentinel without a host")
    return parts.hostname, parts.port or SENTINEL_PORT
