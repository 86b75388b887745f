"""Settings: one frozen `Config`, read once from the environment. Nothing else reads `os.environ`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from tempfile import gettempdir

from chatapp.runtime import file_limit
from chatapp.setting_reader import HIDDEN
from chatapp.setting_reader import ConfigError
from chatapp.setting_reader import Setting
from chatapp.setting_reader import SettingReader

__all__ = ["Config", "ConfigError", "settings"]

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
SOCKET_PATH_MAX_BYTES = 100
# Descriptors that are not for streams: half of them for short requests and health checks, the other half for listening
# sockets, the database, Redis and open files.
RESERVED_FILES = 1000
# A hundred years: longer than cursors have been given.
KEEP_DAYS_MAX = 36_500
# Thousands may come back within a second. The kernel takes no more than net.core.somaxconn.
BACKLOG = 4096
# Not a setting: the master makes the folder and names it here, for the library too, which reads it when it is imported.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the service, checked. See the table in the README."""

    host: str
    port: int
    workers: int
    database_url: str
    redis_url: str
    embedded_redis: bool
    production: bool
    secret_key: str
    proxies: int
    data: Path
    guests: bool
    guests_per_minute: int
    origins: tuple[str, ...]
    jwt_secret: str | None
    jwt_public_key: str | None
    jwt_algorithm: str | None
    rate_burst: int
    rate_per_second: float
    log_maxlen: int
    window: int
    stream_seconds: float
    heartbeat_seconds: float
    carrier: str
    max_connections_per_user: int
    max_connections: int
    metrics_token: str | None
    # After how many days messages are pruned; None: never.
    keep_days: int | None
    # How the log is written; None: as text on a terminal, else as JSON.
    log_format: str | None
    sentry_dsn: str | None
    otlp_endpoint: str | None
    # Where all workers of one master count; None in a process that counts alone.
    metrics_folder: Path | None

    @property
    def stream_places(self) -> int:
        """How many streams and polls one worker may hold: the setting, as far as there are descriptors."""
        return min(self.max_connections, file_limit() - _reserved_files())

    @property
    def worker_connections(self) -> int:
        """How many connections one worker may hold: health checks and sends find a place beside all streams."""
        return self.stream_places + _reserved_files() // 2

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None when the database is not SQLite."""
        prefix = "sqlite:///"
        return Path(self.database_url.removeprefix(prefix)) if self.database_url.startswith(prefix) else None

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Redis listens."""
        return self._socket("redis.sock")

    @property
    def demo_socket(self) -> Path:
        """Where the demonstration's process listens: one for each service, should several share the data folder."""
        return self._socket(f"demo-{self.port}.sock")

    @property
    def demo(self) -> bool:
        """Whether there is `/demo`, which kills workers: while developing, for nobody but this machine."""
        return not self.production and self.proxies == 0 and _is_loopback(self.host)

    def _socket(self, name: str) -> Path:
        """In the data folder, or in a short private one if that path is too long."""
        socket = self.data / name
        if len(os.fsencode(socket)) <= SOCKET_PATH_MAX_BYTES:
            return socket
        digest = sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path(gettempdir()) / f"chatapp-{os.getuid()}-{digest}" / name

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None, *, keep_secret: bool = True) -> "Config":
        """Read and check all settings. Raises ConfigError, whose text names the setting at fault.

        Without `keep_secret` nothing is made: a secret that the data folder does not have yet is "".
        """
        return cls._read(SettingReader(os.environ if environ is None else environ), keep_secret=keep_secret)

    @classmethod
    def _read(cls, read: SettingReader, *, keep_secret: bool) -> "Config":
        data = Path(read.text("CHATAPP_DATA", "instance")).absolute()
        production = read.choice("CHATAPP_ENV", "development", ("development", "production")) == "production"
        public_key, algorithm = read.public_key("CHATAPP_JWT_PUBLIC_KEY")
        redis_url = read.redis_url("REDIS_URL")
        config = cls(
            host=read.text("HOST", "127.0.0.1"),
            port=read.whole("PORT", 8000, 0, 65535),
            workers=read.whole("WEB_CONCURRENCY", 1, 1, 256),
            database_url=read.database_url("DATABASE_URL", data),
            redis_url=redis_url or "",
            embedded_redis=redis_url is None,
            production=production,
            secret_key=read.secret("SECRET_KEY", data, production, keep_secret),
            proxies=read.whole("CHATAPP_PROXIES", 0, 0, 10),
            data=data,
            guests=read.switch("CHATAPP_GUESTS", True),
            guests_per_minute=read.whole("CHATAPP_GUESTS_PER_MINUTE", 30, 1, 1_000_000),
            origins=read.origins("CHATAPP_ORIGINS"),
            jwt_secret=read.jwt_secret("CHATAPP_JWT_SECRET", production),
            jwt_public_key=public_key,
            jwt_algorithm=algorithm,
            rate_burst=read.whole("CHATAPP_RATE_BURST", 20, 1, 1_000_000),
            rate_per_second=read.number("CHATAPP_RATE_PER_SECOND", 2.0, 0.001, 1_000_000),
            log_maxlen=read.whole("CHATAPP_LOG_MAXLEN", 100_000, 1, 100_000_000),
            window=read.whole("CHATAPP_WINDOW", 10_000, 1, 10_000_000),
            stream_seconds=read.number("CHATAPP_STREAM_SECONDS", 55.0, 0.1, 86_400),
            heartbeat_seconds=read.number("CHATAPP_HEARTBEAT_SECONDS", 15.0, 0.1, 3600),
            carrier=read.choice("CHATAPP_CARRIER", "detached", ("detached", "portable")),
            max_connections_per_user=read.whole("CHATAPP_MAX_CONNECTIONS_PER_USER", 20, 1, 1_000_000),
            max_connections=read.whole("CHATAPP_MAX_CONNECTIONS", _default_max_connections(), 1, 10_000_000),
            metrics_token=read.metrics_token("CHATAPP_METRICS_TOKEN"),
            keep_days=read.optional_whole("CHATAPP_KEEP_DAYS", 1, KEEP_DAYS_MAX),
            log_format=read.choice("LOG_FORMAT", "", ("", "text", "json")) or None,
            sentry_dsn=read.http_url("SENTRY_DSN"),
            otlp_endpoint=read.http_url("OTEL_EXPORTER_OTLP_ENDPOINT"),
            metrics_folder=Path(folder) if (folder := read.text(METRICS_FOLDER, "")) else None,
        )
        if redis_url is None:
            object.__setattr__(config, "redis_url", f"unix://{config.redis_socket}")
        return config


def wants_no_colour(environ: Mapping[str, str] | None = None) -> bool:
    """https://no-color.org: whether it is set to anything."""
    return bool((os.environ if environ is None else environ).get("NO_COLOR"))


def settings(environ: Mapping[str, str] | None = None) -> list[Setting]:
    """Every setting as it is. Raises ConfigError."""
    read = SettingReader(os.environ if environ is None else environ)
    config = Config._read(read, keep_secret=False)
    found = {name: one for name, one in read.asked.items() if name != METRICS_FOLDER}
    if config.embedded_redis:
        found["REDIS_URL"] = Setting("REDIS_URL", "(a private redis-server)", "default")
    if config.secret_key and found["SECRET_KEY"].source == "default":
        found["SECRET_KEY"] = Setting("SECRET_KEY", HIDDEN, str(config.data / "secret_key"))
    return list(found.values())


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reserved_files() -> int:
    return min(RESERVED_FILES, file_limit() // 2)


def _default_max_connections() -> int:
    return max(1, file_limit() - _reserved_files())
