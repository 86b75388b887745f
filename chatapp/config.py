"""Settings: one frozen `Config`, read once from the environment. Nothing else reads `os.environ`."""

import os
import re
import secrets
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from tempfile import gettempdir
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from chatapp.origin import canonical
from chatapp.runtime import file_limit

T = TypeVar("T")

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
SOCKET_PATH_MAX_BYTES = 100
# Descriptors that are not for streams: half of them for short requests and health checks, the other half for listening
# sockets, the database, Redis and open files.
RESERVED_FILES = 1000
SECRET_MIN_LENGTH = 16
# A hundred years: longer than cursors have been given.
KEEP_DAYS_MAX = 36_500
# Thousands may come back within a second. The kernel takes no more than net.core.somaxconn.
BACKLOG = 4096
# Not a setting: the master makes the folder and names it here, for the library too, which reads it when it is imported.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class ConfigError(Exception):
    """A setting has a value that cannot work. The text is one line that names the setting."""


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
        read = _Reader(os.environ if environ is None else environ)
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


class _Reader:
    """Typed access to the environment; every refusal names the setting."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str, default: str) -> str:
        return self.environ.get(name, "").strip() or default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise ConfigError(f"{name}: {value!r} is not one of {', '.join(allowed)}")
        return value

    def switch(self, name: str, default: bool) -> bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        value = self.text(name, str(default)).lower()
        if value not in words:
            raise ConfigError(f"{name}: {value!r} is neither true nor false")
        return words[value]

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        return self._ranged(name, default, least, most, int, "a whole number")

    def optional_whole(self, name: str, least: int, most: int) -> int | None:
        return self.whole(name, least, least, most) if self.text(name, "") else None

    def number(self, name: str, default: float, least: float, most: float) -> float:
        return self._ranged(name, default, least, most, float, "a number")

    def _ranged(self, name: str, default: T, least: T, most: T, parse: Callable[[str], T], kind: str) -> T:
        raw = self.text(name, str(default))
        try:
            value = parse(raw)
        except ValueError:
            raise ConfigError(f"{name}: {raw!r} is not {kind}") from None
        if not least <= value <= most:  # type: ignore[operator]
            raise ConfigError(f"{name}: {raw} is not between {least} and {most}")
        return value

    def database_url(self, name: str, data: Path) -> str:
        url = self.text(name, f"sqlite:///{data / 'chat.db'}")
        url = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", url)
        if url.startswith("sqlite:///") and ":memory:" not in url and len(url) > len("sqlite:///"):
            return f"sqlite:///{Path(url.removeprefix('sqlite:///')).absolute()}"
        if not url.startswith("postgresql+psycopg://"):
            raise ConfigError(f"{name}: must be sqlite:///FILE or postgresql://…")
        return url

    def redis_url(self, name: str) -> str | None:
        url = self.text(name, "")
        if url and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ConfigError(f"{name}: must begin with redis://, rediss:// or unix://")
        return url or None

    def origins(self, name: str) -> tuple[str, ...]:
        origins = []
        for given in (part.strip() for part in self.text(name, "").split(",")):
            origin = canonical(given.removesuffix("/"))
            if origin is not None:
                origins.append(origin)
            elif given:
                raise ConfigError(f"{name}: {given!r} is not an origin such as https://example.org")
        return tuple(dict.fromkeys(origins))

    def secret(self, name: str, data: Path, production: bool, keep: bool) -> str:
        secret = self._long_enough(name, production)
        if not secret and production:
            raise ConfigError(f"{name}: required when CHATAPP_ENV is production")
        return secret or _kept_secret(data, keep)

    def jwt_secret(self, name: str, production: bool) -> str | None:
        return self._long_enough(name, production) or None

    def http_url(self, name: str) -> str | None:
        url = self.text(name, "")
        if url and canonical(f"{urlsplit(url).scheme}://{urlsplit(url).netloc.rpartition('@')[2]}") is None:
            raise ConfigError(f"{name}: is not a URL of http or https")
        return url or None

    def metrics_token(self, name: str) -> str | None:
        token = self.text(name, "")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ConfigError(f"{name}: holds a blank, or what no header can carry")
        return token or None

    def _long_enough(self, name: str, production: bool) -> str:
        """A secret, or "". In production it cannot be one that is soon guessed."""
        secret = self.text(name, "")
        if secret and production and len(secret) < SECRET_MIN_LENGTH:
            raise ConfigError(f"{name}: shorter than {SECRET_MIN_LENGTH} characters")
        return secret

    def public_key(self, name: str) -> tuple[str | None, str | None]:
        """A PEM text or the path of a PEM file, and the one algorithm that it may verify."""
        value = self.text(name, "")
        if not value:
            return None, None
        try:
            pem = value.replace("\\n", "\n") if "BEGIN" in value else Path(value).read_text()
            key = load_pem_public_key(pem.encode())
        except (OSError, ValueError) as error:
            raise ConfigError(f"{name}: no public key in PEM: {error}".splitlines()[0]) from None
        match key:
            case RSAPublicKey():
                return pem, "RS256"
            case EllipticCurvePublicKey(curve=SECP256R1()):
                return pem, "ES256"
            case Ed25519PublicKey():
                return pem, "EdDSA"
        raise ConfigError(f"{name}: must be an RSA, P-256 or Ed25519 key")


def _kept_secret(data: Path, keep: bool) -> str:
    """The secret of the data folder, made at first use. Linking makes it whole or absent, whoever is first."""
    path = data / "secret_key"
    try:
        if not keep and not path.exists():
            return ""
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            draft = data / f"secret_key.{os.getpid()}.{secrets.token_hex(4)}"
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(32))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise ConfigError(f"CHATAPP_DATA: cannot use {data}: {error.strerror}") from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reserved_files() -> int:
    return min(RESERVED_FILES, file_limit() // 2)


def _default_max_connections() -> int:
    return max(1, file_limit() - _reserved_files())
