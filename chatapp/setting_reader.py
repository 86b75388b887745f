"""`SettingReader`: settings of the environment, each typed and checked, and from where each came."""

import os
import re
import secrets
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from chatapp.origin import canonical

T = TypeVar("T")

SECRET_MIN_LENGTH = 16
# What must not stand on a screen that somebody else may see; a URL without its password may.
SECRETS = frozenset({"SECRET_KEY", "CHATAPP_JWT_SECRET", "CHATAPP_METRICS_TOKEN", "SENTRY_DSN"})
HIDDEN = "(hidden)"
REDIS_SCHEMES = ("redis://", "rediss://", "redis+sentinel://", "rediss+sentinel://", "unix://")
PORT_MAX = 65535
ENCODE = "write what is no letter or digit in the password as %XX"
_PASSWORD = re.compile(r"(://[^/@]*?:).*@|(password=)[^&]*")

_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{0,5}))?")


class ConfigError(Exception):
    """A setting has a value that cannot work. The text is one line that names the setting."""


class Setting(NamedTuple):
    """`value` as it may be shown; `source` is `environment` or `default`."""

    name: str
    value: str
    source: str


class SettingReader:
    """Typed access to the environment; every refusal names the setting."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        # Each that was asked for, in that order.
        self.asked: dict[str, Setting] = {}

    def text(self, name: str, default: str) -> str:
        given = self._environ.get(name, "").strip()
        self.asked[name] = Setting(name, _shown(name, given or default), "environment" if given else "default")
        return given or default

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
        return _with_hosts_apart(name, url)

    def redis_url(self, name: str) -> str | None:
        url = self.text(name, "")
        if not url:
            return None
        if not url.startswith(REDIS_SCHEMES):
            raise ConfigError(f"{name}: must begin with {', '.join(REDIS_SCHEMES[:-1])} or {REDIS_SCHEMES[-1]}")
        if not _readable(url):
            # What is said about it may quote any piece of it.
            raise ConfigError(f"{name}: cannot be read as an address: {ENCODE}")
        return url

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


def _with_hosts_apart(name: str, url: str) -> str:
    """libpq has several hosts with commas between them, SQLAlchemy has them behind the question mark."""
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    user, at, place = rest.rpartition("@")
    hosts, _, path = place.partition("/")
    if "," not in hosts:
        return url
    found = [_host(host) for host in hosts.split(",")]
    if not all(found):
        raise ConfigError(f"{name}: several hosts are written HOST:PORT,HOST:PORT")
    names = ",".join((one[1] or one[2]) for one in found if one)
    ports = ",".join(one[3] or "5432" for one in found if one)
    return f"{scheme}://{user}{at}/{path}?host={names}&port={ports}{'&' if query else ''}{query}"


def _readable(url: str) -> bool:
    """Whether it says what was meant: a password with a # in it would end the address, and lead to another server."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    hosts = parts.netloc.rpartition("@")[2]
    if "#" in url:
        return False
    if "+sentinel" in parts.scheme:
        name = parts.path.strip("/").partition("/")[0]
        return bool(name) and all(_host(host) for host in hosts.split(","))
    # Without a host it is this machine.
    return parts.scheme == "unix" or not hosts or _host(hosts) is not None


def _host(text: str) -> re.Match[str] | None:
    found = _HOST.fullmatch(text)
    return found if found is not None and int(found[3] or 0) <= PORT_MAX else None


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


def _shown(name: str, value: str) -> str:
    if name in SECRETS:
        return HIDDEN if value else ""
    return _PASSWORD.sub(lambda found: f"{found[1]}***@" if found[1] else f"{found[2]}***", value)
