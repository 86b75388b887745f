"""Settings that are each allowed, but unwise together."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from stat import S_IROTH

from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import error
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.config import Config

# HS256 has keys of 256 bits (RFC 7518, 3.2); a shorter one can be found by trying keys on a single token.
JWT_SECRET_MIN_BYTES = 32


def look(config: Config) -> Iterator[Finding]:
    mode = "production" if config.production else "development"
    workers = "1 worker" if config.workers == 1 else f"{config.workers} workers"
    yield ok("settings", f"{mode}, {workers}, HOST {config.host}, PORT {config.port}")
    loopback = _loopback(config.host)
    if not config.production and not loopback:
        yield warning(
            "CHATAPP_ENV", f"development, but {config.host} can be reached by others: set CHATAPP_ENV=production"
        )
    if config.production and loopback and not config.proxies:
        yield warning(
            "CHATAPP_PROXIES",
            f"0, and {config.host} is reached through a proxy on this machine: all guests count as one address;"
            " set the number of proxies",
        )
    if config.jwt_secret and len(config.jwt_secret.encode()) < JWT_SECRET_MIN_BYTES:
        yield warning("CHATAPP_JWT_SECRET", f"shorter than {JWT_SECRET_MIN_BYTES} bytes: use a longer random one")
    yield _secret(config)


def _secret(config: Config) -> Finding:
    file = config.data / "secret_key"
    if not config.secret_key:
        return ok("SECRET_KEY", f"not set: the first start makes one in {file}")
    if not _kept(file, config.secret_key):
        return ok("SECRET_KEY", "set")
    if file.stat().st_mode & S_IROTH:
        return error(
            "SECRET_KEY", f"everyone on this machine may read {file}: chmod 600 it, or remove it for a new one"
        )
    return ok("SECRET_KEY", f"kept in {file}")


def _kept(file: Path, secret: str) -> bool:
    """Whether the file has the secret in use. If it does not, who may read it does not matter."""
    try:
        return file.read_text().strip() == secret
    except (OSError, UnicodeDecodeError):
        return False


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
