"""`redis_pool`: connections to one Redis, at its own address or where its Sentinels say that it is."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from urllib.parse import urlsplit

from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel
from redis.sentinel import SentinelConnectionPool

SENTINEL_PORT = 26379
# One that is silent is left for the next, which is then asked first.
SENTINEL_TIMEOUT_S = 0.25


# Of these redis-py gives no types.
_parse_url: Callable[[str], dict[str, Any]] = parse_url
_sentinel: Callable[..., Any] = Sentinel


class _SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Whoever finds all connections in use waits for one, as in any other pool here."""

    def __init__(self, name: str, manager: Any, **options: Any) -> None:
        super().__init__(name, manager, **options)  # type: ignore[no-untyped-call]


def redis_pool(url: str, *, most: int, timeout_s: float, connect_timeout_s: float) -> BlockingConnectionPool:
    """Connections that never resend by themselves what was not answered in time. Raises ValueError for the URL.

    `redis+sentinel://[user:password@]host:port,host:port/name[/database]`: name and password are the server's own;
    those of the Sentinels are `?sentinel_username=…&sentinel_password=…`. With `rediss+sentinel` all speak TLS.
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
    for unused in ("host", "connection_class"):
        server.pop(unused, None)
    tls = {key: value for key, value in server.items() if key.startswith("ssl_")}
    secure = {"ssl": True, **tls} if scheme == "rediss" else {}
    asked = {
        "socket_timeout": SENTINEL_TIMEOUT_S,
        "socket_connect_timeout": SENTINEL_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        "username": server.pop("sentinel_username", None),
        "password": server.pop("sentinel_password", None),
    }
    manager = _sentinel([_address(host) for host in hosts.split(",")], sentinel_kwargs={**asked, **secure})
    return _SentinelPool(unquote(name), manager, **{**server, **secure, **options})


def _address(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise ValueError("a Sentinel without a host")
    return parts.hostname, parts.port or SENTINEL_PORT
